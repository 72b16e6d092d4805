"""When an attempt that failed is made again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

_FIRST_MS = 1_000
_MOST_MS = 15 * 60_000
_LONGEST_WISH_MS = 60 * 60_000


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to: None, or why it failed, in words that name no address.

    `retry_after` is the moment (UTC milliseconds) before which the destination wants no other; `final`: none at all.
    """

    error: str | None = None
    retry_after: int | None = None
    final: bool = False


def next_attempt(attempts: int, outcome: Outcome, now: int, chance: float) -> int:
    """When to try again after so many attempts, UTC milliseconds; `chance` is a random number from 0 to 1.

    Exponential backoff with full jitter (Brooker 2015): anything up to a bound that doubles from 1 s to 15 minutes.
    What the destination asks for is granted up to an hour.
    """
    bound = min(_MOST_MS, _FIRST_MS << min(attempts - 1, 20))
    wished = min(outcome.retry_after or 0, now + _LONGEST_WISH_MS)
    return max(now + round(bound * chance), wished)


def retry_after(header: str | None, now: int) -> int | None:
    """The moment that a header Retry-After names, in seconds or as a date; None where it names none."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return now + min(int(header.strip()[:9]) * 1_000, _LONGEST_WISH_MS)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
