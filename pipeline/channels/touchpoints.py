"""A mapped event as a touchpoint that is accepted, or refused in the words of its payload. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline import sentiment
from pipeline.channels.applied import Mapped, apply
from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Kept
from pipeline.model import FieldError, Record, Rejected
from pipeline.validation import rejected, validate


def accepted(source: Source, mapped: Mapped, now: int, *, derive_sentiment: bool = False) -> Record | Rejected:
    """Validate what a mapping gave. `now` is UTC milliseconds; a refusal keeps the event, if nobody has the request.

    The text that a mapping gives is not kept; with `derive_sentiment` it leaves its mood.
    """
    event: dict[str, Any] = sentiment.apply(mapped.event, derive_sentiment)
    if mapped.problems:
        return rejected(event, mapped.problems)
    checked = validate(event, now, source.name)
    if not isinstance(checked, Rejected):
        return checked
    return rejected(event, tuple(mapped.in_payload(error) for error in checked.errors))


def again(source: Source, kept: Kept, event_id: str | None, now: int) -> Record | FieldError:
    """The touchpoint that was refused, mapped again: the one with this event_id, else the one in its place."""
    outcome = apply(source, kept.incoming)
    if outcome.problem is not None:
        return outcome.problem
    named = [
        mapped for mapped in outcome.touchpoints if event_id is not None and mapped.event.get("event_id") == event_id
    ]
    found = named or outcome.touchpoints[kept.number : kept.number + 1]
    if not found:
        return FieldError("ignored", "", f"the mapping of {source.name} gives no such touchpoint any more")
    checked = accepted(source, found[0], now)
    if not isinstance(checked, Rejected):
        return checked
    return replace(checked.errors[0], message="; ".join(error.message for error in checked.errors))
