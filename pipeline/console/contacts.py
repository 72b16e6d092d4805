"""What touchpoints say of a customer: the columns of view person_contacts, from its rows. Pure.

ClickHouse plans the sums of one person for longer than it takes to add them up here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from pipeline.console import words
from pipeline.console.touches import Number, Touch, moment

RECENT = 20
_SHOWN = (
    *("occurred_at", "channel", "touchpoint", "stage", "direction"),
    *("outcome", "sentiment", "value", "currency", "reference"),
)
_MONEY = 10_000
"""Amounts are added up in ten-thousandths, so that their order does not matter."""


def contacts(touches: Iterable[Touch], gap_days: int, now: datetime) -> dict[str, Any] | None:
    """The columns from first_seen_at to open_issues, in their order; None where there is no touchpoint.

    The newest journey is open when a touchpoint of `now` would still extend it: within `gap_days` of its last.
    """
    ordered = sorted(touches, key=attrgetter("place"))
    if not ordered:
        return None
    inbound = [touch for touch in ordered if touch.is_inbound]
    bought = [touch for touch in ordered if touch.bought]
    return {
        "first_seen_at": ordered[0].occurred_at,
        "customer_since": bought[0].occurred_at if bought else None,
        "touchpoints": len(ordered),
        "purchases": len(bought),
        "values": _values(ordered),
        **_ratings(ordered),
        **_last(inbound),
        "recent": [_shown(touch) for touch in ordered[: -RECENT - 1 : -1]],
        **_journey(_open(inbound, timedelta(days=gap_days), now)),
        "open_issues": _open_issues(ordered),
    }


def _values(touches: Sequence[Touch]) -> dict[str, Number]:
    """The sums by currency, without what failed."""
    sums: dict[str, int] = defaultdict(int)
    for touch in touches:
        if touch.value is not None and touch.outcome != "failed":
            sums[touch.currency or ""] += round(touch.value * _MONEY)
    return {currency: _number(float(sums[currency]) / _MONEY) for currency in sorted(sums)}


def _number(amount: float) -> Number:
    return int(amount) if amount.is_integer() else amount


def _ratings(ordered: Sequence[Touch]) -> dict[str, Any]:
    """The latest answer to each question. One without a score is none, though it was asked then."""
    latest = {touch.rating_metric: touch.rating_score for touch in ordered if touch.rating_score is not None}
    asked = [touch.occurred_at for touch in ordered if touch.rating_metric == "nps"]
    return {
        "nps": latest.get("nps"),
        "nps_at": asked[-1] if asked else None,
        "csat": latest.get("csat"),
        "ces": latest.get("ces"),
    }


def _last(inbound: Sequence[Touch]) -> dict[str, Any]:
    """The last interaction; all null where there was none."""
    last = inbound[-1] if inbound else None
    mood = last.sentiment if last else None
    return {
        "last_at": last and last.occurred_at,
        "last_channel": last and last.channel,
        "last_touchpoint": last and last.touchpoint,
        "last_outcome": last and last.outcome,
        "last_reference": last and last.reference,
        "last_sentiment": mood,
        "last_mood": None if mood is None else words.mood(mood),
    }


def _shown(touch: Touch) -> dict[str, Any]:
    return {name: getattr(touch, name) for name in _SHOWN}


def _open(inbound: Sequence[Touch], gap: timedelta, now: datetime) -> Sequence[Touch]:
    """The inbound touchpoints of the journey that is open, in order of time; empty while none is."""
    if not inbound or moment(inbound[-1].occurred_at) + gap < now:
        return ()
    first = len(inbound) - 1
    while first and moment(inbound[first - 1].occurred_at) + gap >= moment(inbound[first].occurred_at):
        first -= 1
    return inbound[first:]


def _journey(steps: Sequence[Touch]) -> dict[str, Any]:
    return {
        "journey_started_at": steps[0].occurred_at if steps else None,
        "journey_touchpoints": len(steps),
        "journey_channels": sorted({step.channel for step in steps}),
        "journey_stages": sorted({step.stage for step in steps}),
    }


def _open_issues(ordered: Sequence[Touch]) -> list[dict[str, Any]]:
    """What stands, the oldest first: of each issue what opened it first after it was settled last."""
    opened: dict[tuple[str, str], Touch] = {}
    for touch in ordered:
        if touch.effect == "settles":
            opened.pop(touch.subject, None)
        elif touch.effect == "opens":
            opened.setdefault(touch.subject, touch)
    about: dict[tuple[str, str], list[Touch]] = {subject: [] for subject in opened}
    for touch in ordered if opened else ():
        if touch.subject in about:
            about[touch.subject].append(touch)
    return [_issue(touch, about[subject]) for subject, touch in opened.items()]


def _issue(opening: Touch, about: Sequence[Touch]) -> dict[str, Any]:
    """An issue by what opened it; `about` is everything of that issue, settled parts too, in order of time."""
    return {
        "reference": opening.reference,
        "channel": opening.channel,
        "touchpoint": opening.touchpoint,
        "since": opening.occurred_at,
        "last_at": about[-1].occurred_at,
        "contacts": sum(touch.is_inbound for touch in about),
    }
