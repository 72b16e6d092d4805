"""How often a customer comes, and what their silence says: a calendar of days, and the models that read it. Pure.

A calendar is one bit for each UTC day within WINDOW days of the newest, kept twice: `days` has every day with an
inbound touchpoint, `calm` only those with one that was no bad experience. Adding a day twice changes nothing and order
does not matter, so a fold in any order gives the same bits.

`silence` is minus the logarithm of the chance that the customer comes again within the horizon, by the buy-till-you-die
models: visits come as a Poisson process whose rate varies between customers as a gamma(r, alpha), and after each visit,
the first included, the customer is gone for good with a chance that varies as a beta(a, b) (MBG/NBD: Batislam, Denizel
and Filiztekin 2007, after BG/NBD: Fader, Hardie and Lee 2005). With x visits after the first, the last of them t days
after it, and T days since the first:

    P(gone)  = 1 / (1 + 1 / odds),  odds = a / (b + x) * ((alpha + T) / (alpha + t)) ** (r + x)
    P(comes) = (1 - P(gone)) * (1 - ((alpha + T) / (alpha + T + horizon)) ** (r + x))

So the customer's own rhythm is shrunk towards the population's: the less is known of them, the more.

A contact that was only trouble neither breaks a silence nor proves that one would return by habit, and it may be both:
so x counts anything from none to all of such days, and the gravest result holds. Hence one more bad experience never
makes silence look better, neither than nothing nor than the same contact gone well.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

from pipeline.state import Profile

DAY = 86_400_000
WINDOW = 512
"""Days that a calendar remembers."""
STRETCHES = (28, 42, 56)
"""Days over which activity is compared with before: four, six and eight weeks."""
BEFORE = 1.5
"""How much longer than a stretch, at least, a customer must have been known before it."""
LEAST_EXPECTED = 4.0
"""Days of activity within a stretch from which on fewer of them say anything."""
SETTLED_AFTER = round((1 + BEFORE) * STRETCHES[-1])
"""Days after which nothing changes any more in what a silence is compared with."""
EVEN = 2.5
"""How many of the longest gaps before a stretch must hold, at least, for fewer visits in it to say anything."""
CHANCE, CLEAR = 0.95, 1.32
"""From where on, in `Shortfall.extent`, less activity counts, and where it counts in full."""
_WEEKEND = 2
_LEAST_KNOWN = round((1 + BEFORE) * STRETCHES[0])
_MASK = (1 << WINDOW) - 1
_MOST_ODDS = 690.0


class Population(NamedTuple):
    """The rates among all customers, in days: see the module."""

    r: float
    alpha: float
    a: float
    b: float
    horizon: float


def add(profile: Profile, moment: int, calm: bool) -> None:
    """Mark the day of an inbound touchpoint (UTC milliseconds); `calm`: it was no bad experience."""
    day = moment // DAY
    ahead = day - profile.day
    if ahead == 0 and profile.days and profile.days[0] & 1 and (not calm or (profile.calm and profile.calm[0] & 1)):
        pass  # as with most touchpoints: a day that is known
    elif ahead > 0:
        profile.days = _bytes((_int(profile.days) << min(ahead, WINDOW) | 1) & _MASK)
        profile.calm = _bytes((_int(profile.calm) << min(ahead, WINDOW) | calm) & _MASK)
        profile.day = day
    elif ahead > -WINDOW:
        bit = 1 << -ahead
        if not (days := _int(profile.days)) & bit:
            profile.days = _bytes(days | bit)
        if calm and not (quiet := _int(profile.calm)) & bit:
            profile.calm = _bytes(quiet | bit)
    if calm and (profile.calm_at is None or moment > profile.calm_at):
        profile.calm_at = moment


def _int(bits: bytes) -> int:
    return int.from_bytes(bits, "little")


def _bytes(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) >> 3, "little")


def silence(profile: Profile, now: int, population: Population) -> float:
    """Minus the logarithm of the chance that the customer comes again within the horizon: 0 or more.

    What has no inbound touchpoint has no silence: that of somebody met this moment is returned.
    """
    if profile.first_inbound_at is None:
        return newcomer(population)
    return _silence(profile, now, _int(profile.days), _int(profile.calm), population)


def silence_and_decline(profile: Profile, now: int, population: Population) -> tuple[float, float]:
    """Both at once, which costs less."""
    if profile.first_inbound_at is None:
        return newcomer(population), 0.0
    days, calm = _int(profile.days), _int(profile.calm)
    silent = _silence(profile, now, days, calm, population)
    ahead = now // DAY - profile.day
    if days.bit_length() + ahead < _LEAST_KNOWN:
        return silent, 0.0
    found = _shortfall(ahead, days, calm)
    return silent, 0.0 if found is None else found.decline


def _silence(profile: Profile, now: int, days: int, calm: int, population: Population) -> float:
    if profile.first_inbound_at is None:
        return newcomer(population)
    first = max(profile.first_inbound_at, (profile.day - days.bit_length() + 1) * DAY)
    observed = max(now - first, 0) / DAY
    known = 0.0 if profile.calm_at is None else min(max(profile.calm_at - first, 0) / DAY, observed)
    most, least = days.bit_count() - 1, max(calm.bit_count() - 1, 0)
    if most == least:
        return unlikeliness(most, known, observed, population)
    return max(unlikeliness(x, known, observed, population) for x in range(least, most + 1))


def unlikeliness(x: int, t: float, observed: float, population: Population) -> float:
    """Minus the logarithm of P(comes), by the module's formula; times in days, 0 <= t <= observed."""
    r, alpha, a, b, horizon = population
    until, shape = alpha + observed, r + x
    odds = a / (b + x) * exp(min(shape * log(until / (alpha + t)), _MOST_ODDS))
    return log((1.0 + odds) / (1.0 - exp(shape * log(until / (until + horizon)))))


def newcomer(population: Population) -> float:
    """The silence of somebody met this moment, against which all others are measured."""
    return unlikeliness(0, 0.0, 0.0, population)


class Shortfall(NamedTuple):
    """How much less a customer came in the last `length` days.

    `lately` and `expected` are days of activity, these at the rate before; `gap` is the longest there was before, in
    days.
    """

    length: int
    lately: int
    expected: float
    gap: int

    @property
    def extent(self) -> float:
        """How clear it is: days without the visits due in them, over the root of the stretch times the gap.

        Visits that follow each other at even distances leave a sum of distances that varies little, so a few missing
        say much; where gaps as long were usual before, they say nothing (timing regularity: Platzer and Reutterer
        2016). The longest gap stands for the variance, as no other measure of it falls with each day that is added.
        """
        missing = self.length * (1.0 - self.lately / self.expected)
        return missing / sqrt(self.length * (self.gap + _WEEKEND))

    @property
    def decline(self) -> float:
        """From 0, which chance explains, to 1, which it does not."""
        return min(max((self.extent - CHANCE) / (CLEAR - CHANCE), 0.0), 1.0)


def decline(profile: Profile, now: int) -> float:
    """How far activity fell short of the customer's own before: 0 (no more than by chance) to 1."""
    found = shortfall(profile, now)
    return 0.0 if found is None else found.decline


def shortfall(profile: Profile, now: int) -> Shortfall | None:
    """The stretch up to now in which the customer came too seldom most clearly; None: nothing to compare with.

    As in `silence`, days of trouble count only where they make it worse: in the rate before, and not lately. What is
    compared with ends with the last day without trouble before the stretch, so that a long silence leaves it as it is.
    Who always came unevenly is left to `silence`, whose chances allow for that.
    """
    return _shortfall(now // DAY - profile.day, _int(profile.days), _int(profile.calm))


def _shortfall(ahead: int, days: int, calm: int) -> Shortfall | None:
    if ahead < 0:
        days, calm = days >> -ahead, calm >> -ahead
    elif ahead:
        days, calm = days << min(ahead, WINDOW), calm << min(ahead, WINDOW)
    known = days.bit_length()
    worst: Shortfall | None = None
    for length in STRETCHES:
        spare = known - round((1 + BEFORE) * length)
        if spare < 0:
            break
        before, usual = days >> length, calm >> length
        if not usual:
            continue
        end = min((usual & -usual).bit_length() - 1, spare)
        expected = before.bit_count() * length / (before.bit_length() - end)
        lately = (calm & ((1 << length) - 1)).bit_count()
        if expected < LEAST_EXPECTED or lately >= expected:
            continue
        found = Shortfall(length, lately, expected, _longest_gap(before >> end))
        if found.gap * EVEN > length:
            continue
        if worst is None or found.extent > worst.extent:
            worst = found
    return worst


def _longest_gap(days: int) -> int:
    """The most days from one to the next."""
    free = ~days & ((1 << days.bit_length()) - 1)
    gap = 1
    while free:
        free &= free << 1
        gap += 1
    return gap
