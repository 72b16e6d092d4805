"""What careless senders send: events that must be refused, each for a reason of its own."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pipeline.simulator.clock import DAY, rfc3339
from pipeline.simulator.diary import Event, mint

_Fault = Callable[[Event, float], Event]


def _without(event: Event, *names: str) -> Event:
    return {name: value for name, value in event.items() if name not in names}


_FAULTS: tuple[_Fault, ...] = (
    lambda event, now: {**event, "channel": "webb"},
    lambda event, now: {**event, "touchpoint": "page_veiw"},
    lambda event, now: {**event, "occurred_at": rfc3339(now)[:-1]},
    lambda event, now: {**event, "occurred_at": rfc3339(now + 3 * DAY)},
    lambda event, now: {**event, "occurred_at": "yesterday at noon"},
    lambda event, now: _without(event, "customer_id", "anonymous_id"),
    lambda event, now: _without(event, "occurred_at"),
    lambda event, now: {**event, "customer_id": "anon:" + event["customer_id"]},
    lambda event, now: {**event, "sentiment": 7},
    lambda event, now: {**event, "rating_metric": "nps", "rating_score": 11},
    lambda event, now: {**event, "currency": "euro", "value": 10},
    lambda event, now: {**event, "duration_ms": -250},
    lambda event, now: {**event, "custmer": event["customer_id"]},
    lambda event, now: {**event, "event_id": "42"},
    lambda event, now: {**event, "outcome": "maybe"},
)


def make_mistakes(sound: list[Event], now: float, rng: Random) -> list[Event]:
    """Each mistake once or twice, made from sound events that name a customer, with ids of their own."""
    named = [event for event in sound if "customer_id" in event]
    faults = [fault for fault in _FAULTS for _ in range(1 + (rng.random() < 0.4))] if named else []
    bad = [fault({**rng.choice(named), "event_id": mint(rng)}, now) for fault in faults]
    rng.shuffle(bad)
    return bad
