"""A mapped event as a touchpoint that is accepted, or refused in the words of its payload. Pure."""

from __future__ import annotations

from typing import Any

from pipeline.channels.applied import Mapped
from pipeline.channels.compiled import Source
from pipeline.model import Record, Rejected
from pipeline.validation import rejected, validate


def accepted(source: Source, mapped: Mapped, now: int, original: bytes = b"") -> Record | Rejected:
    """Validate what a mapping gave. `now` is UTC milliseconds; a refusal keeps `original`."""
    event: dict[str, Any] = mapped.event
    if mapped.problems:
        return rejected(event, mapped.problems, original=original)
    checked = validate(event, now, source.name, original=original)
    if not isinstance(checked, Rejected):
        return checked
    return rejected(event, tuple(mapped.in_payload(error) for error in checked.errors), original=original)
