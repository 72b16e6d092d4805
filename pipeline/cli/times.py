"""Moments as commands take and print them: RFC 3339 outside, UTC milliseconds inside."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.errors import UsageError
from pipeline.validation import parse_time


def moment_of(text: str | None, option: str) -> int | None:
    """The moment that an option names, None for None. Raises UsageError for a naive or malformed one."""
    if text is None:
        return None
    if (moment := parse_time(text)) is None:
        raise UsageError(f"{option} {text!r}: write RFC 3339 with an offset, like 2026-03-01T12:00:00Z or ...+01:00")
    return moment


def text_of(moment: int) -> str:
    """The moment in UTC, to the millisecond."""
    whole = datetime.fromtimestamp(moment // 1000, UTC).replace(microsecond=moment % 1000 * 1000)
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")
