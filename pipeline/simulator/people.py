"""Who the customers are, before anything happens to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from pipeline.simulator.clock import DAY
from pipeline.simulator.segments import SEGMENTS, Segment

SPAN = 182 * DAY
_CITIES = ("Aarhus", "Bergen", "Ghent", "Graz", "Leeds", "Lyon", "Malmo", "Porto", "Turin", "Utrecht")
_PLANS = (("basic", 9.0), ("plus", 19.0), ("family", 29.0))
_BUSINESS_PLAN = ("business", 190.0)


@dataclass(frozen=True)
class Person:
    """A customer. Moments and durations in seconds; `temper` from -1 (grumpy) to 1 (sunny)."""

    customer_id: str
    browser: str
    segment: Segment
    known_since: float
    rhythm: float
    temper: float
    city: str
    currency: str
    plan: tuple[str, float] | None
    reads_mail: bool
    answers: float
    account_manager: str

    @property
    def is_business(self) -> bool:
        """Whether a company buys, with a manager of ours to look after it."""
        return self.segment.name == "business"


def draw_segments(customers: int, rng: Random) -> list[Segment]:
    """Draw a segment for each customer, in the shares of `SEGMENTS`, in no order."""
    drawn = [segment for segment in SEGMENTS for _ in range(int(segment.share * customers))]
    missing = customers - len(drawn)
    drawn += rng.choices(SEGMENTS, weights=[segment.share for segment in SEGMENTS], k=missing)
    rng.shuffle(drawn)
    return drawn


def draw_person(number: int, segment: Segment, now: float, rng: Random) -> Person:
    """Draw the customer of that number, of that segment, at pace 1."""
    business = segment.name == "business"
    age = rng.uniform(0.12, 0.4) * SPAN if segment.newcomer else SPAN * min(1.0, rng.uniform(0.5, 4.0))
    return Person(
        customer_id=f"{'B' if business else 'C'}{100_000 + number}",
        browser=f"web-{rng.getrandbits(48):012x}",
        segment=segment,
        known_since=now - age,
        rhythm=segment.rhythm_days * DAY * rng.lognormvariate(0, 0.3),
        temper=max(-0.4, min(0.9, rng.gauss(0.3, 0.22))),
        city=rng.choice(_CITIES),
        currency="GBP" if rng.random() < 0.06 else "EUR",
        plan=_draw_plan(segment, rng),
        reads_mail=rng.random() < 0.4,
        answers=rng.betavariate(1.5, 3.5),
        account_manager=f"sales-{rng.randrange(1, 9)}",
    )


def slowed(person: Person, pace: float, rng: Random) -> Person:
    """Let the person live at another pace; below 1, fewer have a plan or read our mail, too."""
    reads, keeps = rng.random() < pace, rng.random() < 2 * pace
    return replace(
        person,
        rhythm=person.rhythm / pace,
        reads_mail=person.reads_mail and reads,
        plan=person.plan if keeps else None,
    )


def _draw_plan(segment: Segment, rng: Random) -> tuple[str, float] | None:
    plan = rng.choice(_PLANS)
    if rng.random() >= segment.subscribes:
        return None
    return _BUSINESS_PLAN if segment.name == "business" else plan
