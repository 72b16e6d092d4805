"""Why a score is what it is: at most five reasons with their points, the fact in words and the evidence. Pure."""

from __future__ import annotations

from math import exp
from typing import NamedTuple

from pipeline import rhythm
from pipeline.rhythm import DAY
from pipeline.risk import Terms, has_left, logit_of, points_of, standing_of, terms
from pipeline.risk_model import Compiled
from pipeline.state import Profile

MOST_REASONS = 5
ABSENCE = frozenset({"silence", "less_active"})
"""Codes of the reasons that say that the customer stays away."""
MOST_EVIDENCE = 3


class Evidence(NamedTuple):
    """A touchpoint that a reason rests on: id (sixteen bytes, or none where none was kept), name, UTC milliseconds."""

    event_id: bytes
    touchpoint: str
    occurred_at: int


class Reason(NamedTuple):
    """Why the score is what it is: a code, the points it adds, the fact in words, and its newest touchpoints."""

    code: str
    points: float
    text: str
    evidence: tuple[Evidence, ...] = ()


class Risk(NamedTuple):
    """A score from 0 to 100 at a moment (UTC milliseconds), its level, its reasons and what to do."""

    as_of: int
    score: float
    level: str
    reasons: tuple[Reason, ...]
    action: str
    model_version: str


class _Kind(NamedTuple):
    amount: float
    times: int
    latest: list[tuple[int, bytes, str]]


def assess(profile: Profile, now: int, compiled: Compiled) -> Risk:
    """Score, level, reasons and action at a moment (UTC milliseconds)."""
    model = compiled.model
    if has_left(profile):
        at = profile.cancelled_at or 0
        evidence = (Evidence(b"", "subscription.cancelled", at),)
        reason = Reason("cancelled", 100.0, f"said goodbye {_ago(now - at)} and has not come back", evidence)
        return Risk(now, 100.0, "gone", (reason,), "none", model.version)
    found = terms(profile, now, compiled)
    points, level = standing_of(found, compiled)
    reasons = _reasons(profile, now, found, compiled)
    return Risk(now, points, level, tuple(reasons[:MOST_REASONS]), _action(level, reasons, compiled), model.version)


def _reasons(profile: Profile, now: int, found: Terms, compiled: Compiled) -> list[Reason]:
    """What each kind of signal, silence and the rest adds, the largest first.

    The score less that of a customer nothing is known of, shared out by what each puts into the logistic function
    (integrated gradients, Sundararajan et al. 2017): the shares add up, also where the curve is flat or a limit holds.
    """
    unit = _points_per_logit(found, compiled)
    reasons = _of_signals(profile, now, found, unit, compiled) if profile.signals else []
    reasons += _of_rhythm(profile, now, found, unit)
    reasons = [reason for reason in reasons if abs(reason.points) >= 0.5]
    if len(reasons) > 1:
        reasons.sort(key=lambda reason: (-abs(reason.points), reason.code))
    return reasons


def _of_signals(profile: Profile, now: int, found: Terms, unit: float, compiled: Compiled) -> list[Reason]:
    counted = min(found.bad, compiled.max_bad)
    strain = max(counted - found.good, -compiled.max_recovery)
    per_bad = compiled.slope * counted / found.bad if found.bad else 0.0
    per_good = compiled.slope * (counted - strain) / found.good if found.good else 0.0
    reasons = []
    for kind, (amount, count, latest) in _by_kind(profile, now, compiled).items():
        points = amount * (per_bad if amount > 0 else per_good) * unit
        if abs(points) < 0.5:
            continue
        times = f" {count} times, last" if count > 1 else ""
        code, text = compiled.words[kind]
        moment = latest[0][0]
        evidence = tuple(Evidence(event_id, name, at) for at, event_id, name in latest[:MOST_EVIDENCE])
        reasons.append(Reason(code, round(points, 1), f"{text}{times} {_ago(now - moment)}", evidence))
    return reasons


def _by_kind(profile: Profile, now: int, compiled: Compiled) -> dict[int, _Kind]:
    """Decayed amount, count and touchpoints (the newest first) of each kind of signal."""
    kinds: dict[int, _Kind] = {}
    for moment, kind, event_id, name in reversed(profile.signals):
        weight, decay = compiled.weights[kind]
        amount, count, latest = kinds.get(kind) or _Kind(0.0, 0, [])
        latest.append((moment, event_id, name))
        amount += weight * exp(decay * (moment - now)) if now > moment else weight
        kinds[kind] = _Kind(amount, count + 1, latest)
    return kinds


def _of_rhythm(profile: Profile, now: int, found: Terms, unit: float) -> list[Reason]:
    last = profile.calm_at if profile.calm_at is not None else profile.first_inbound_at
    reasons = []
    if found.silence < 0:
        reasons.append(Reason("habit", round(found.silence * unit, 1), "comes often"))
    elif found.silence and last is not None and now - last >= DAY:
        heard = profile.last_inbound_at or last
        text = (
            f"silent for {_days(now - last)}"
            if heard <= last
            else f"in touch only about trouble for {_days(now - last)}"
        )
        reasons.append(Reason("silence", round(found.silence * unit, 1), text + ", longer than this customer's rhythm"))
    if found.decline and (less := rhythm.shortfall(profile, now)) is not None:
        text = f"came on {_days_of(less.lately)} of the last {less.length}; at the pace before, {less.expected:.0f}"
        reasons.append(Reason("less_active", round(found.decline * unit, 1), text))
    if found.stuck and profile.onboarding_at is not None:
        text = f"began to set up and went no further for {_days(now - profile.onboarding_at)}"
        reasons.append(Reason("stuck_onboarding", round(found.stuck * unit, 1), text))
    return reasons


def _points_per_logit(found: Terms, compiled: Compiled) -> float:
    """How many points one unit of the sum is worth: the mean steepness of the curve from nothing to the sum."""
    nothing, total = logit_of(Terms(0.0, 0.0, 0.0, 0.0, 0.0), compiled), logit_of(found, compiled)
    base, factor = points_of(nothing), compiled.calibration[1]
    if abs(total - nothing) < 1e-6:
        return factor * base * (100.0 - base) / 100.0
    return factor * (points_of(total) - base) / (total - nothing)


def _action(level: str, reasons: list[Reason], compiled: Compiled) -> str:
    """What to do, by the main reason; nothing while the risk is low."""
    if level == "low":
        return "none"
    model = compiled.model
    main = next((reason.code for reason in reasons if reason.points > 0), "silence")
    beside = {
        "silence": model.silence.action,
        "less_active": model.decline.action,
        "stuck_onboarding": model.stuck.action,
    }
    return beside.get(main) or model.signals[main.upper()].action


def _days(milliseconds: int) -> str:
    return _days_of(int(milliseconds // DAY))


def _days_of(days: int) -> str:
    return f"{days} day" if days == 1 else f"{days} days"


def _ago(milliseconds: int) -> str:
    return "today" if milliseconds < DAY else f"{_days(milliseconds)} ago"
