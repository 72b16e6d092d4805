"""Sessionizing by event time: a touchpoint joins, opens or bridges visits and journeys.

The semantics are those of session windows: a touchpoint at t touches every visit within the gap of it, a distance
equal to the gap included, and merges all it touches. So the result depends on the set of touchpoints alone.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from pipeline.model import Record
from pipeline.state import Journey, Step, Visit

PATH_LIMIT = 24
VISIT_LIMIT, VISITS_KEPT = 256, 192
"""How many visits a late touchpoint may still change: a robot that comes every half hour has 4,000 in 90 days."""
MONEY = 10_000
_MOST_MONEY = 2**63 - 1
SENTIMENT = 1_000_000


class Gaps(NamedTuple):
    """Silence that ends a visit and a journey, milliseconds."""

    visit: int
    journey: int


class Changes:
    """What a fold has done to a customer's journeys: which to publish again and which ids to take back."""

    __slots__ = ("journeys", "journeys_delta", "old_journeys", "old_visits", "visits", "visits_delta")

    def __init__(self) -> None:
        self.journeys: dict[int, Journey] = {}
        self.visits: dict[int, Visit] = {}
        self.old_journeys: set[bytes] = set()
        self.old_visits: set[bytes] = set()
        self.journeys_delta = 0
        self.visits_delta = 0

    def restructure(self, journey: Journey) -> None:
        """Note, before it changes its beginning or is absorbed, under which ids a journey was known."""
        self.old_journeys.add(journey.first)
        self.old_visits.update(visit.first for visit in journey.visits)


def add(journeys: list[Journey], step: Step, record: Record, gaps: Gaps, changes: Changes) -> None:
    """Add one inbound touchpoint to a customer's journeys, which are in order of time."""
    moment = step[0]
    newest = journeys[-1] if journeys else None
    if newest is not None and newest.path[0][0] < moment <= newest.last[0] + gaps.journey:
        journey = newest
    else:
        journey = _place(journeys, step, gaps, changes)
    _add_to_visits(journey, step, gaps.visit, changes)
    _add_up(journey, step, record)
    changes.journeys[id(journey)] = journey


def _place(journeys: list[Journey], step: Step, gaps: Gaps, changes: Changes) -> Journey:
    """The journey the touchpoint belongs to, made by merging all it touches, or new."""
    moment = step[0]
    touched = [
        journey for journey in journeys if journey.path[0][0] - gaps.journey <= moment <= journey.last[0] + gaps.journey
    ]
    if not touched:
        return _open(journeys, step, changes)
    for journey in touched:
        if len(touched) > 1 or step[:2] < journey.path[0][:2]:
            changes.restructure(journey)
    survivor = touched[0]
    for absorbed in touched[1:]:
        _absorb(survivor, absorbed)
        journeys.remove(absorbed)
        changes.journeys.pop(id(absorbed), None)
        changes.journeys_delta -= 1
    if len(touched) > 1 or step[:2] < survivor.path[0][:2]:
        changes.visits.update((id(visit), visit) for visit in survivor.visits)
    return survivor


def _open(journeys: list[Journey], step: Step, changes: Changes) -> Journey:
    journey = Journey([], [], step, [], [])
    journeys.insert(bisect_left([other.path[0] for other in journeys], step), journey)
    changes.journeys_delta += 1
    return journey


def _absorb(into: Journey, other: Journey) -> None:
    """Merge a later journey into an earlier one; every part is a sum, a union, a minimum or a maximum."""
    into.visits += other.visits
    path = sorted(into.path + other.path)
    into.truncated = into.truncated or other.truncated or len(path) > PATH_LIMIT
    into.path = path[:PATH_LIMIT]
    into.last = max(into.last, other.last)
    into.channels = sorted({*into.channels, *other.channels})
    into.stages = sorted({*into.stages, *other.stages})
    into.touchpoints += other.touchpoints
    into.closed_visits += other.closed_visits
    converted = [moment for moment in (into.converted_at, other.converted_at) if moment is not None]
    into.converted_at = min(converted, default=None)
    for currency, amount in other.values.items():
        _add(into.values, currency, amount)
    into.sentiment_sum += other.sentiment_sum
    into.sentiment_count += other.sentiment_count
    lowest = [sentiment for sentiment in (into.sentiment_min, other.sentiment_min) if sentiment is not None]
    into.sentiment_min = min(lowest, default=None)
    into.escalations += other.escalations
    into.unresolved += other.unresolved


def _add_to_visits(journey: Journey, step: Step, gap: int, changes: Changes) -> None:
    moment, visits = step[0], journey.visits
    newest = visits[-1] if visits else None
    if newest is not None and newest.started_at < moment <= newest.ended_at + gap:
        visit = newest
        if moment > visit.ended_at:
            visit.ended_at = moment
        visit.touchpoints += 1
    elif newest is None or moment > newest.ended_at + gap:
        visit = Visit(moment, moment, step[1], 1)
        visits.append(visit)
        changes.visits_delta += 1
    else:
        visit = _merge_visits(visits, step, gap, changes)
    changes.visits[id(visit)] = visit


def _merge_visits(visits: list[Visit], step: Step, gap: int, changes: Changes) -> Visit:
    """The general case: the touchpoint lies before the newest visit's end, and may bridge several."""
    moment = step[0]
    touched = [visit for visit in visits if visit.started_at - gap <= moment <= visit.ended_at + gap]
    changes.old_visits.update(visit.first for visit in touched)
    first = min([step[:2], *((visit.started_at, visit.first) for visit in touched)])
    merged = Visit(
        started_at=first[0],
        ended_at=max([moment, *(visit.ended_at for visit in touched)]),
        first=first[1],
        touchpoints=1 + sum(visit.touchpoints for visit in touched),
    )
    for visit in touched:
        visits.remove(visit)
        changes.visits.pop(id(visit), None)
    insort(visits, merged, key=_visit_start)
    changes.visits_delta += 1 - len(touched)
    return merged


def _visit_start(visit: Visit) -> int:
    return visit.started_at


def _add_up(journey: Journey, step: Step, record: Record) -> None:
    """Add the touchpoint to the journey's path and sums."""
    journey.touchpoints += 1
    path = journey.path
    if len(path) < PATH_LIMIT:
        if not path or step > path[-1]:
            path.append(step)
        else:
            insort(path, step)
    else:
        journey.truncated = True
        if step < path[-1]:
            path.pop()
            insort(path, step)
    if step > journey.last:
        journey.last = step
    channel, stage = record["channel"], record["stage"]
    if channel not in journey.channels:
        insort(journey.channels, channel)
    if stage not in journey.stages:
        insort(journey.stages, stage)
    if record["value"] is not None:
        add_money(journey.values, record)
    if (sentiment := record["sentiment"]) is not None:
        journey.sentiment_sum += round(sentiment * SENTIMENT)
        journey.sentiment_count += 1
        lowest = journey.sentiment_min
        journey.sentiment_min = sentiment if lowest is None else min(lowest, sentiment)
    if (outcome := record["outcome"]) is not None:
        _count_outcome(journey, outcome, step[0])


def _count_outcome(journey: Journey, outcome: str, moment: int) -> None:
    if outcome == "converted":
        journey.converted_at = moment if journey.converted_at is None else min(journey.converted_at, moment)
    elif outcome == "escalated":
        journey.escalations += 1
    elif outcome == "unresolved":
        journey.unresolved += 1


def add_money(values: dict[str, int], record: Record) -> None:
    """Add the value to sums by currency (empty where none was named), in ten-thousandths; what failed was not paid."""
    if record["outcome"] != "failed":
        _add(values, record["currency"] or "", round(record["value"] * MONEY))


def _add(values: dict[str, int], currency: str, amount: int) -> None:
    """Add to a sum, which stops at what 64 bits hold: a state must always be writable."""
    values[currency] = max(-_MOST_MONEY, min(values.get(currency, 0) + amount, _MOST_MONEY))


def limit(journeys: list[Journey], gaps: Gaps) -> int | None:
    """The moment from which touchpoints still count, where there are more than VISIT_LIMIT visits; else None.

    The visits before it are the oldest, so `forget` with it leaves about VISITS_KEPT.
    """
    count = sum(len(journey.visits) for journey in journeys)
    if count <= VISIT_LIMIT:
        return None
    visits = [visit for journey in journeys for visit in journey.visits]
    return visits[count - VISITS_KEPT - 1].ended_at + gaps.visit + 1


def forget(journeys: list[Journey], horizon: int, gaps: Gaps) -> None:
    """Drop what no touchpoint at or after the horizon can touch any more; counts stay right."""
    while journeys and journeys[0].last[0] < horizon - gaps.journey:
        del journeys[0]
    for journey in journeys:
        closed = 0
        for visit in journey.visits:
            if visit.ended_at >= horizon - gaps.visit:
                break
            closed += 1
        if closed:
            journey.closed_visits += closed
            del journey.visits[:closed]
