"""How touchpoints reach us: late from phones without a signal, in batches from shops, now and then twice."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pipeline.simulator.clock import DAY, HOUR, MINUTE
from pipeline.simulator.diary import Entry, Event

TWICE = 0.012
_OFFLINE = 0.1
_MISLAID = 0.004
_BATCHED = {"in_store": DAY, "delivery": 2 * HOUR, "loyalty": 6 * HOUR, "sales": DAY}


@dataclass(frozen=True)
class Mail:
    """What had come before a moment, and what came after, in order of arrival and with duplicates."""

    before: list[Event]
    after: list[Event]
    duplicates: int


def deliver(entries: list[Entry], live_from: float, rng: Random) -> Mail:
    """Bring touchpoints into the order in which they arrive, some of them twice with the same event_id.

    What happened after `live_from` never arrives before it; what happened before may well arrive after.
    """
    entries.sort(key=lambda entry: (entry[0], entry[1]["event_id"]))
    arrivals = [(_arrival(at, event["channel"], rng), event) for at, event in entries]
    again = [(at + rng.expovariate(1 / (5 * MINUTE)), event) for at, event in arrivals if rng.random() < TWICE]
    arrivals += again
    arrivals.sort(key=lambda arrival: arrival[0])
    before = [(_filed(at, rng), event) for at, event in arrivals if at < live_from]
    before.sort(key=lambda filed: filed[0])
    after = [event for at, event in arrivals if at >= live_from]
    return Mail([event for _, event in before], after, len(again))


def _arrival(at: float, channel: str, rng: Random) -> float:
    """When a touchpoint of that channel arrives."""
    quickly = at + rng.expovariate(1 / 3)
    if channel == "mobile_app" and rng.random() < _OFFLINE:
        return at + rng.expovariate(1 / (9 * HOUR))
    batch = _BATCHED.get(channel)
    return quickly if batch is None else (at // batch + 1) * batch + rng.random() * MINUTE


def _filed(arrived: float, rng: Random) -> float:
    """Where it stands in the file that was exported later: a little out of place, now and then far."""
    if rng.random() < _MISLAID:
        return arrived + rng.expovariate(1 / (8 * DAY))
    return arrived + rng.random() * 20 * MINUTE
