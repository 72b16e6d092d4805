"""The event_id of a line of an import that brings none: from its content, and its ordinal among identical lines.

So the same file again, or its lines in another order, has the same ids again, and so has a refused line that is
replayed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from pipeline.model import derived_id

_DIGEST_BYTES = 16
_canonical = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(event: dict[str, Any]) -> bytes:
    """Sixteen bytes that identical events share, whatever the order and spelling of their fields.

    Raises ValueError, TypeError, OverflowError or RecursionError for what no event may hold.
    """
    content = _canonical({name: value for name, value in event.items() if value is not None})
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]


def line_event_id(digest: bytes, ordinal: int) -> str:
    """The id of the line with this fingerprint that has `ordinal` identical ones before it in its file."""
    return derived_id("backfill", digest.hex(), ordinal)


def first_event_id(event: object) -> str | None:
    """The id that the first of the lines identical to this one would be given; None for what has no fingerprint."""
    if not isinstance(event, dict):
        return None
    try:
        return line_event_id(fingerprint(event), 0)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
