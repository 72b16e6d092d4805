"""The risk of leaving: a pure function of profile, model and moment, with its reasons.

The score is 100 times a logistic function of three parts:

- Bad experiences, each decaying with its half-life. Two figures fix the curve: one bad experience makes 32 % of
  customers think of leaving, and for 86 % three are enough (`first_experience`, `third_experience` of the model), so
  intercept and slope follow from logit(0.32) at one and logit(0.86) at three.
- Recovery (resolved contacts, good ratings, purchases) takes away from them, never more than `max_recovery` beyond.
- Silence, against the customer's own rhythm: with n visits in T days the visit rate has a gamma posterior, shrunk
  towards the population's prior of a visits in b days, and the chance of no visit in s days is ((b+T)/(b+T+s))**(n+a)
  (the negative binomial model, Ehrenberg 1959). `silence_weight` times one minus that chance is added.
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from math import exp
from typing import NamedTuple

import msgspec

from pipeline.signals import Kind
from pipeline.state import Profile

LEVELS = ("low", "medium", "high", "critical", "gone")
MOST_REASONS = 5
_DAY = 86_400_000.0


class Weight(msgspec.Struct, frozen=True):
    """What one kind of signal counts, in bad experiences, and how fast it fades."""

    weight: float
    half_life_days: float
    text: str
    action: str


class Model(msgspec.Struct, frozen=True):
    """A version of the risk model; see the module for the meaning of its numbers."""

    version: str
    first_experience: float
    third_experience: float
    max_bad: float
    max_recovery: float
    silence_weight: float
    silence_prior_visits: float
    silence_prior_days: float
    levels: dict[str, float]
    signals: dict[str, Weight]
    silence_action: str

    def compile(self) -> Compiled:
        """The same model in the form that scoring reads."""
        slope = (_logit(self.third_experience) - _logit(self.first_experience)) / 2
        return Compiled(
            model=self,
            intercept=_logit(self.first_experience) - slope,
            slope=slope,
            weights=tuple(self._number(kind) for kind in range(max(Kind) + 1)),
            levels=(self.levels["medium"], self.levels["high"], self.levels["critical"]),
            max_bad=self.max_bad,
            max_recovery=self.max_recovery,
            silence_weight=self.silence_weight,
            prior_visits=self.silence_prior_visits,
            prior_ms=self.silence_prior_days * _DAY,
            words={int(kind): (kind.name.lower(), self.signals[kind.name].text) for kind in Kind},
        )

    def _number(self, kind: int) -> tuple[float, float]:
        weight = self.signals[Kind(kind).name] if kind in Kind.__members__.values() else None
        return (weight.weight, math.log(2) / (weight.half_life_days * _DAY)) if weight else (0.0, 0.0)


class Compiled(NamedTuple):
    """A model ready to score: `weights` gives weight and decay per millisecond by kind; times are milliseconds."""

    model: Model
    intercept: float
    slope: float
    weights: tuple[tuple[float, float], ...]
    levels: tuple[float, float, float]
    max_bad: float
    max_recovery: float
    silence_weight: float
    prior_visits: float
    prior_ms: float
    words: dict[int, tuple[str, str]]


class Reason(NamedTuple):
    """Why the score is what it is: a code, the points it adds, and the fact in words."""

    code: str
    points: float
    text: str


class Risk(NamedTuple):
    """A score from 0 to 100 at a moment (UTC milliseconds), its level, its reasons and what to do."""

    as_of: int
    score: float
    level: str
    reasons: tuple[Reason, ...]
    action: str
    model_version: str


@cache
def default_model() -> Compiled:
    """The model shipped with this version; it needs no training."""
    data = (files("pipeline") / "models" / "default.json").read_bytes()
    return msgspec.json.decode(data, type=Model).compile()


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def score(profile: Profile, now: int, compiled: Compiled) -> float:
    """The score alone, 0 to 100, rounded to hundredths; 100 for who has left."""
    return standing(profile, now, compiled)[0]


def standing(profile: Profile, now: int, compiled: Compiled) -> tuple[float, str]:
    """Score and level; asked once for every touchpoint, so it works them out in one go."""
    if profile.cancelled_at is not None and has_left(profile):
        return 100.0, "gone"
    bad, good = _experiences(profile, now, compiled) if profile.signals else (0.0, 0.0)
    strain = min(bad, compiled.max_bad) - good
    if strain < -compiled.max_recovery:
        strain = -compiled.max_recovery
    logit = compiled.intercept + compiled.slope * strain + compiled.silence_weight * silence(profile, now, compiled)
    points = round(100.0 / (1.0 + exp(-logit)), 2)
    medium, high, critical = compiled.levels
    if points < high:
        return points, "low" if points < medium else "medium"
    return points, "high" if points < critical else "critical"


def has_left(profile: Profile) -> bool:
    """Whether the customer's last word was a goodbye."""
    return profile.cancelled_at is not None and profile.cancelled_at > (profile.returned_at or -1)


def _experiences(profile: Profile, now: int, compiled: Compiled) -> tuple[float, float]:
    """Bad and good experiences, decayed to now, both as numbers of bad experiences; neither is negative."""
    bad = good = 0.0
    weights = compiled.weights
    for moment, kind, magnitude in profile.signals:
        weight, decay = weights[kind]
        amount = weight * magnitude * exp(decay * (moment - now)) if now > moment else weight * magnitude
        if amount > 0:
            bad += amount
        else:
            good -= amount
    return bad, good


def _strain(bad: float, good: float, compiled: Compiled) -> float:
    """Bad experiences less recovery, in numbers of bad experiences."""
    return max(min(bad, compiled.max_bad) - good, -compiled.max_recovery)


def silence(profile: Profile, now: int, compiled: Compiled) -> float:
    """How surprising the silence since the last inbound touchpoint is: 0 (not at all) to 1."""
    last, first = profile.last_inbound_at, profile.first_inbound_at
    if last is None or first is None or now <= last:
        return 0.0
    known = compiled.prior_ms + last - first
    visits = compiled.prior_visits + (profile.visits - 1 if profile.visits > 1 else 0)
    return float(1.0 - (known / (known + now - last)) ** visits)


def _points(logit: float) -> float:
    return 100.0 / (1.0 + exp(-logit))


def assess(profile: Profile, now: int, compiled: Compiled) -> Risk:
    """Score, level, reasons and action at a moment (UTC milliseconds)."""
    model = compiled.model
    points, level = standing(profile, now, compiled)
    if level == "gone":
        reason = Reason("cancelled", 100.0, "said goodbye: cancelled and has not come back")
        return Risk(now, points, level, (reason,), "none", model.version)
    reasons = _reasons(profile, now, compiled)
    return Risk(now, points, level, tuple(reasons[:MOST_REASONS]), _action(level, reasons, compiled), model.version)


def _reasons(profile: Profile, now: int, compiled: Compiled) -> list[Reason]:
    """What each kind of signal, and silence, adds, the largest first.

    The score less that of a customer nothing is known of, shared out by what each puts into the logistic function
    (integrated gradients, Sundararajan et al. 2017): the shares add up, also where the curve is flat or a limit holds.
    """
    kinds = _by_kind(profile, now, compiled) if profile.signals else {}
    bad = sum(amount for amount, _, _ in kinds.values() if amount > 0)
    good = -sum(amount for amount, _, _ in kinds.values() if amount < 0)
    strain = _strain(bad, good, compiled)
    counted = min(bad, compiled.model.max_bad)
    per_bad = compiled.slope * counted / bad if bad else 0.0
    per_good = compiled.slope * (counted - strain) / good if good else 0.0
    silent = compiled.model.silence_weight * silence(profile, now, compiled)
    unit = _points_per_logit(compiled.slope * strain + silent, compiled)
    reasons = []
    for kind, (amount, count, latest) in kinds.items():
        points = amount * (per_bad if amount > 0 else per_good) * unit
        times = f" {count} times, last" if count > 1 else ""
        code, text = compiled.words[kind]
        reasons.append(Reason(code, round(points, 1), f"{text}{times} {_ago(now - latest)}"))
    if silent and profile.last_inbound_at is not None and now - profile.last_inbound_at >= _DAY:
        reasons.append(_silence_reason(now - profile.last_inbound_at, silent, silent * unit, compiled))
    reasons = [reason for reason in reasons if abs(reason.points) >= 0.5]
    if len(reasons) > 1:
        reasons.sort(key=lambda reason: (-abs(reason.points), reason.code))
    return reasons


def _silence_reason(length: int, silent: float, points: float, compiled: Compiled) -> Reason:
    unusual = silent > compiled.model.silence_weight / 2
    text = f"silent for {_days(length)}" + (", longer than this customer's rhythm" if unusual else "")
    return Reason("silence", round(points, 1), text)


def _points_per_logit(total: float, compiled: Compiled) -> float:
    """How many points one unit of the total is worth: the mean steepness of the curve from nothing to the total."""
    base = _points(compiled.intercept)
    if abs(total) < 1e-6:
        return base * (100.0 - base) / 100.0
    return (_points(compiled.intercept + total) - base) / total


def _by_kind(profile: Profile, now: int, compiled: Compiled) -> dict[int, tuple[float, int, int]]:
    """Decayed amount, count and latest moment of each kind of signal."""
    found: dict[int, tuple[float, int, int]] = {}
    for moment, kind, magnitude in profile.signals:
        weight, decay = compiled.weights[kind]
        amount, count, latest = found.get(kind, (0.0, 0, 0))
        amount += weight * magnitude * exp(decay * (moment - now)) if now > moment else weight * magnitude
        found[kind] = (amount, count + 1, max(latest, moment))
    return found


def _action(level: str, reasons: list[Reason], compiled: Compiled) -> str:
    """What to do, by the main reason; nothing while the risk is low."""
    if level == "low":
        return "none"
    main = next((reason.code for reason in reasons if reason.points > 0), "silence")
    if main == "silence":
        return compiled.model.silence_action
    return compiled.model.signals[main.upper()].action


def _days(milliseconds: int) -> str:
    days = int(milliseconds // _DAY)
    return f"{days} day" if days == 1 else f"{days} days"


def _ago(milliseconds: int) -> str:
    return "today" if milliseconds < _DAY else f"{_days(milliseconds)} ago"
