"""What will become of a score: when its level changes if nothing happens, and what would bring it down. Pure.

Both are answered by the function that scores, at other moments or with other experiences.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from pipeline import rhythm
from pipeline.rhythm import DAY
from pipeline.risk import LEVELS, Terms, level_of, logit_of, points_of, standing, terms
from pipeline.risk_model import Compiled
from pipeline.signals import GOOD, RANKED, Kind
from pipeline.state import Profile

HORIZON_DAYS = 730
"""How far ahead changes are looked for."""
RESOLUTION = 60_000
MOST_TIMES = 5
_RANK = {level: rank for rank, level in enumerate(LEVELS)}


class Change(NamedTuple):
    """A change of level that comes with time alone: within a minute after the moment (UTC milliseconds)."""

    moment: int
    level: str


class Way(NamedTuple):
    """Something that would bring the score down to a level: what, how many times, and what the score would be."""

    code: str
    times: int
    score: float
    text: str


def next_change(profile: Profile, now: int, compiled: Compiled, days: int = HORIZON_DAYS) -> Change | None:
    """When the level changes next if nothing happens, found by halving; None: not within so many days.

    Nothing is missed between the moments looked at: bad and good experiences only fade, silence and a stuck onboarding
    only grow, and a decline changes from day to day, each of which is looked at. So the values at the ends of a stretch
    of time, and those of its days, bound all within.
    """
    level = standing(profile, now, compiled)[1]
    if level == "gone":
        return None
    end = now + days * DAY
    return _first(_Silence(profile, compiled, level, now // DAY, _declines(profile, now, end, compiled)), now, end)


class _Silence(NamedTuple):
    """A customer of whom nothing more is heard; `declines` of the days from `day` on, the last one of all after it."""

    profile: Profile
    compiled: Compiled
    level: str
    day: int
    declines: list[float]

    def bounds(self, start: int, end: int) -> tuple[str, str]:
        """The lowest and the highest level that can be had within a stretch of time."""
        profile, compiled = self.profile, self.compiled
        first, last = terms(profile, start, compiled), terms(profile, end, compiled)
        newest = len(self.declines) - 1
        declines = self.declines[min(start // DAY - self.day, newest) : end // DAY - self.day + 1]
        low = Terms(last.bad, first.good, first.silence, min(declines), first.stuck)
        high = Terms(first.bad, last.good, last.silence, max(declines), last.stuck)
        return _level(low, compiled), _level(high, compiled)


def _first(silence: _Silence, start: int, end: int) -> Change | None:
    low, high = silence.bounds(start, end)
    if low == high == silence.level:
        return None
    if end - start <= RESOLUTION:
        there = standing(silence.profile, end, silence.compiled)[1]
        return Change(end, there) if there != silence.level else None
    middle = (start + end) // 2
    return _first(silence, start, middle) or _first(silence, middle, end)


def _declines(profile: Profile, start: int, end: int, compiled: Compiled) -> list[float]:
    """What the decline adds on each day, until no day changes it any more."""
    known = profile.day if profile.first_inbound_at is None else profile.first_inbound_at // DAY + rhythm.SETTLED_AFTER
    settled = max(profile.day + rhythm.STRETCHES[-1], known, start // DAY)
    days = range(start // DAY, min(end // DAY, settled) + 1)
    return [compiled.decline * rhythm.decline(profile, day * DAY) for day in days]


def _level(found: Terms, compiled: Compiled) -> str:
    return level_of(round(points_of(logit_of(found, compiled)), 2), compiled)


def ways_down(profile: Profile, now: int, compiled: Compiled, to: str = "medium") -> list[Way]:
    """What would bring the score down to a level, each by itself, the least first; nothing where it is there already.

    A good experience is thought to happen now, as often as needed up to MOST_TIMES; `wait` is time alone, in days.
    """
    if _RANK[standing(profile, now, compiled)[1]] <= _RANK[to]:
        return []
    return sorted(_ways(profile, now, compiled, _RANK[to]), key=lambda way: (way.code == "wait", way.times, way.code))


def _ways(profile: Profile, now: int, compiled: Compiled, rank: int) -> Iterator[Way]:
    for kind in RANKED:
        if kind < GOOD:
            continue
        code, text = compiled.words[kind]
        for times in range(1, MOST_TIMES + 1):
            points, level = standing(_better(profile, now, kind, times), now, compiled)
            if _RANK[level] <= rank:
                yield Way(code, times, points, text if times == 1 else f"{text} {times} times")
                break
    for code, text, other in (
        ("came", "came for something else than trouble", _better(profile, now, None, 0)),
        ("settled", "went on to the end of the onboarding", replace(profile, settled_at=now, returned_at=now)),
    ):
        points, level = standing(other, now, compiled)
        if _RANK[level] <= rank:
            yield Way(code, 1, points, text)
    if (moment := _waited(profile, now, compiled, rank)) is not None:
        days = max(round((moment - now) / DAY), 1)
        yield Way("wait", days, standing(profile, moment, compiled)[0], f"nothing bad happened for {days} days")


def _better(profile: Profile, now: int, kind: Kind | None, times: int) -> Profile:
    """The profile after so many good experiences of a kind, now."""
    signals = profile.signals + [(now, int(kind), b"", "")] * times if kind else profile.signals
    made = replace(profile, signals=signals)
    rhythm.add(made, now, calm=True)
    made.first_inbound_at = now if made.first_inbound_at is None else min(made.first_inbound_at, now)
    if kind is Kind.BOUGHT:
        made.returned_at = made.settled_at = now
    return made


def _waited(profile: Profile, now: int, compiled: Compiled, rank: int) -> int | None:
    moment, end = now, now + HORIZON_DAYS * DAY
    while (change := next_change(profile, moment, compiled, (end - moment) // DAY)) is not None:
        if _RANK[change.level] <= rank:
            return change.moment
        moment = change.moment
    return None
