"""The risk of leaving: a pure function of profile, model and moment. `pipeline.reasons` says why, `outlook` what next.

The score is 100 times a logistic function of a sum:

- Bad experiences, each decaying with its half-life. Two figures fix the curve: one bad experience makes 32 % of
  customers think of leaving, and for 86 % three are enough (`first_experience`, `third_experience` of the model), so
  intercept and slope follow from logit(0.32) at one and logit(0.86) at three.
- Recovery (resolved contacts, good ratings, purchases) takes away from them, never more than `max_recovery` beyond.
- Silence against the customer's own rhythm, shrunk towards the population's (`pipeline.rhythm`), as far as it is longer
  than a newcomer's; a habit of coming, by which it is shorter, takes a little away.
- Activity that declines, and an onboarding that does not go on.

A model that was fitted ends in a calibration: then the score is the chance, in percent, of leaving within its horizon.
"""

from __future__ import annotations

from math import exp
from typing import NamedTuple

from pipeline import rhythm
from pipeline.risk_model import Compiled
from pipeline.state import Profile

LEVELS = ("low", "medium", "high", "critical", "gone")
AT_RISK = frozenset({"high", "critical"})


class Terms(NamedTuple):
    """What adds up to the logit: decayed bad and good experiences (numbers of them), and the terms beside them."""

    bad: float
    good: float
    silence: float
    decline: float
    stuck: float


def score(profile: Profile, now: int, compiled: Compiled) -> float:
    """The score alone, 0 to 100, rounded to hundredths; 100 for who has left."""
    return standing(profile, now, compiled)[0]


def standing(profile: Profile, now: int, compiled: Compiled) -> tuple[float, str]:
    """Score and level; asked once for every touchpoint, so it works them out in one go."""
    if profile.cancelled_at is not None and has_left(profile):
        return 100.0, "gone"
    return standing_of(terms(profile, now, compiled), compiled)


def standing_of(found: Terms, compiled: Compiled) -> tuple[float, str]:
    """Score and level of what was found."""
    points = round(points_of(logit_of(found, compiled)), 2)
    return points, level_of(points, compiled)


def level_of(points: float, compiled: Compiled) -> str:
    """The level at which a score stands."""
    medium, high, critical = compiled.levels
    if points < high:
        return "low" if points < medium else "medium"
    return "high" if points < critical else "critical"


def is_lasting(profile: Profile, level: str, now: int, compiled: Compiled) -> bool:
    """Whether somebody at risk would still be so after the model's `lasting_days` if nothing more happened.

    A risk that hardly comes to its level, and goes by itself within days, is worth nobody's call. True of who is not at
    risk, for whom there is nothing to wait for.
    """
    return level not in AT_RISK or standing(profile, now + compiled.lasting, compiled)[1] in AT_RISK


def has_left(profile: Profile) -> bool:
    """Whether the customer's last word was a goodbye."""
    return profile.cancelled_at is not None and profile.cancelled_at > (profile.returned_at or -1)


def terms(profile: Profile, now: int, compiled: Compiled) -> Terms:
    """Everything that speaks for or against leaving, at a moment (UTC milliseconds)."""
    bad, good = _experiences(profile, now, compiled) if profile.signals else (0.0, 0.0)
    silent, declined = rhythm.silence_and_decline(profile, now, compiled.population)
    beyond = silent - compiled.newcomer
    weight, most, habit = compiled.silence
    return Terms(
        bad,
        good,
        weight * min(beyond, most) if beyond > 0 else habit * beyond,
        compiled.decline * declined,
        stuck_term(profile, now, compiled) if profile.onboarding_at is not None else 0.0,
    )


def logit_of(found: Terms, compiled: Compiled) -> float:
    """The sum, calibrated."""
    strain = min(found.bad, compiled.max_bad) - found.good
    if strain < -compiled.max_recovery:
        strain = -compiled.max_recovery
    offset, factor = compiled.calibration
    total = compiled.intercept + compiled.slope * strain + found.silence + found.decline + found.stuck
    return offset + factor * total


def points_of(logit: float) -> float:
    """The logistic function, in points of 100."""
    return 100.0 / (1.0 + exp(-logit)) if logit > -700.0 else 0.0


def _experiences(profile: Profile, now: int, compiled: Compiled) -> tuple[float, float]:
    """Bad and good experiences, decayed to now, both as numbers of bad experiences; neither is negative."""
    bad = good = 0.0
    weights = compiled.weights
    for moment, kind, _, _ in profile.signals:
        weight, decay = weights[kind]
        amount = weight * exp(decay * (moment - now)) if now > moment else weight
        if amount > 0:
            bad += amount
        else:
            good -= amount
    return bad, good


def stuck_term(profile: Profile, now: int, compiled: Compiled) -> float:
    """What an onboarding adds that has not gone on since its latest step: in proportion to time, up to a limit."""
    since = profile.onboarding_at
    if since is None or (profile.settled_at is not None and profile.settled_at >= since) or now <= since:
        return 0.0
    weight, length = compiled.stuck
    return weight * min((now - since) / length, 1.0)
