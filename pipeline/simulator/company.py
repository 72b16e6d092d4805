"""The simulated company as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

from pipeline.simulator.clock import DAY, rfc3339
from pipeline.simulator.delivery import deliver
from pipeline.simulator.diary import Entry, Event, is_inbound
from pipeline.simulator.fates import Fate, draw_fates
from pipeline.simulator.lives import live
from pipeline.simulator.mistakes import make_mistakes
from pipeline.simulator.people import SPAN, Person, draw_person, draw_segments, slowed
from pipeline.simulator.segments import Segment

LIVE_DAYS = 7
LEAST_TOUCHES = 10
BESIDES = 6.5
"""Touchpoints of a life that do not come of occasions: newsletters, invoices, signing up, a turn of fate."""
_SLOWEST = 0.02


@dataclass(frozen=True)
class Company:
    """Everything that happened between a company and its customers in about six months up to `now`.

    `history` and `live` are touchpoints in the fields of the wire, in order of arrival (history with a few
    misfiled). Both hold duplicates, that is the same event with the same event_id again: `duplicates` of
    them, while `touchpoints` counts each event once. History holds only what happened before `live_from`;
    live holds the days since, and what of before arrived late. `bad` must be refused.

    `leavers` are about to leave or left in the last weeks, `gone` left long before; with each customer stands
    the time (RFC 3339) of the last inbound touchpoint that names them. `fates` says what became of whom,
    where there is a story to it.
    """

    customers: int
    touchpoints: int
    duplicates: int
    history: list[Event]
    live: list[Event]
    bad: list[Event]
    leavers: dict[str, str]
    gone: dict[str, str]
    fates: dict[str, str]
    live_from: datetime
    now: datetime


@dataclass(frozen=True)
class _Life:
    person: Person
    fate: Fate | None
    entries: list[Entry]


def simulate(customers: int, touchpoints: int, seed: int, now: datetime) -> Company:
    """Simulate a company of that many customers and, within a few percent, that many touchpoints.

    With a few dozen customers or less, single lives weigh so much that the number may be missed by more.
    The same arguments give the same company; with another `now` people and stories stay nearly the same and
    fall on other days. Raises ValueError for a naive `now`, and for fewer than 10 touchpoints a customer,
    which make no story.
    """
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    if customers < 1 or touchpoints < LEAST_TOUCHES * customers:
        raise ValueError(f"a company needs a customer and at least {LEAST_TOUCHES} touchpoints for each")
    rng, moment = Random(seed), now.timestamp()
    lives = list(_lives(customers, touchpoints, moment, rng))
    live_from = moment - LIVE_DAYS * DAY
    mail = deliver([entry for life in lives for entry in life.entries], live_from, rng)
    left = [life for life in lives if life.fate and life.fate.leaves]
    return Company(
        customers=customers,
        touchpoints=sum(len(life.entries) for life in lives),
        duplicates=mail.duplicates,
        history=mail.before,
        live=mail.after,
        bad=make_mistakes(mail.after or mail.before, moment, rng),
        leavers={life.person.customer_id: _last_inbound(life) for life in left if not _long_ago(life)},
        gone={life.person.customer_id: _last_inbound(life) for life in left if _long_ago(life)},
        fates={life.person.customer_id: life.fate.name for life in lives if life.fate},
        live_from=datetime.fromtimestamp(live_from, UTC),
        now=now,
    )


def _lives(customers: int, touchpoints: int, now: float, rng: Random) -> Iterator[_Life]:
    """Live life after life, each at the pace that brings the whole to the number of touchpoints wanted."""
    segments = draw_segments(customers, rng)
    fates = draw_fates(segments, now, rng)
    seeds = [rng.getrandbits(64) for _ in segments]
    pace = Pace(touchpoints, segments)
    for number, segment in enumerate(segments):
        own = Random(seeds[number])
        fate = fates.get(number)
        person = slowed(draw_person(number, segment, now, own), pace.current, own)
        person = _suited(person, fate, now)
        entries = live(person, fate, now, own)
        pace.count(segment, len(entries))
        yield _Life(person, fate, entries)


class Pace:
    """How much faster than usual people must live to fill the number wanted; corrected as they do."""

    def __init__(self, wanted: int, segments: list[Segment]) -> None:
        self._missing = float(wanted)
        self._people = len(segments)
        self._usual = sum(segment.touches for segment in segments)
        self.current = max(_SLOWEST, (wanted - BESIDES * self._people) / self._usual)
        self._lived = self._expected = 0.1 * wanted
        self._slack = 0.01 * self._usual
        self._first = self.current

    def count(self, segment: Segment, touchpoints: int) -> None:
        """One more life, of that many touchpoints; the last few no longer change the pace much."""
        self._expected += BESIDES + segment.touches * self.current
        self._lived += touchpoints
        self._missing -= touchpoints
        self._people -= 1
        self._usual -= segment.touches
        wanted = self._missing * self._expected / self._lived - BESIDES * self._people
        self.current = max(_SLOWEST, (wanted + self._slack * self._first) / (self._usual + self._slack))


def _suited(person: Person, fate: Fate | None, now: float) -> Person:
    """Make the person one to whom it can happen: known long enough or just come, grumpy, of firm habits."""
    if fate is None:
        return person
    if fate.name == "stuck":
        return replace(person, known_since=fate.begins - DAY / 24)
    if fate.name == "grumbles":
        person = replace(person, temper=-0.7)
    if fate.name == "fades":
        person = replace(person, rhythm=0.75 * person.rhythm)
    known_since = min(person.known_since, fate.begins - 45 * DAY)
    return replace(person, known_since=max(known_since, now - SPAN))


def _long_ago(life: _Life) -> bool:
    return life.fate is not None and life.fate.long_ago


def _last_inbound(life: _Life) -> str:
    return rfc3339(max(at for at, event in life.entries if "customer_id" in event and is_inbound(event)))
