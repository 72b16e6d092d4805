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

from math import exp, log
from typing import NamedTuple

from pipeline.state import Profile

DAY = 86_400_000
WINDOW = 512
"""Days that a calendar remembers."""
RECENT_DAYS = 28
LEAST_EXPECTED = 4.0
"""Days of activity within RECENT_DAYS from which on fewer of them say anything."""
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
    if now - profile.first_inbound_at < (2 * RECENT_DAYS - 1) * DAY:
        return silent, 0.0
    return silent, _decline(now // DAY - profile.day, days, calm)


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


def decline(profile: Profile, now: int) -> float:
    """How far activity in the last RECENT_DAYS fell short of the customer's own rate before: 0 (not at all) to 1.

    Zero for who never came often, or has not been here for long. As in `silence`, days of trouble count only where they
    make it worse.
    """
    return _decline(now // DAY - profile.day, _int(profile.days), _int(profile.calm))


def _decline(ahead: int, days: int, calm: int) -> float:
    if ahead < 0:
        days, calm, ahead = days >> -ahead, calm >> -ahead, 0
    older = max(RECENT_DAYS - ahead, 0)
    lately = (calm & ((1 << older) - 1)).bit_count()
    before, calm = days >> older, calm >> older
    if not calm or days.bit_length() + ahead < 2 * RECENT_DAYS:
        return 0.0
    length = before.bit_length() - (calm & -calm).bit_length() + 1
    expected = before.bit_count() * RECENT_DAYS / max(length, RECENT_DAYS)
    if expected < LEAST_EXPECTED:
        return 0.0
    return max(0.0, 1.0 - (lately + 1.0) / (expected + 1.0))
