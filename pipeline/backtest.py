"""The past as an examination: what was known of every customer at a cut-off, and who left within a horizon after. Pure.

Nothing after the cut-off has a say in a score. Who had left by then, or had not been seen, takes no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pipeline import measures, signals
from pipeline.customer import Rules
from pipeline.model import Record
from pipeline.rhythm import DAY, silence
from pipeline.risk import AT_RISK, has_left, standing
from pipeline.risk_model import Compiled
from pipeline.signals import GOOD
from pipeline.state import Profile, Step

Touches = Sequence[tuple[Step, Record]]
ProfileOf = Callable[[Iterable[tuple[Step, Record]], Rules], Profile]


class Leaving(StrEnum):
    """What counts as leaving within the horizon; a goodbye that was not taken back does in every case."""

    SILENCE = "silence"
    PURCHASE = "purchase"
    GOODBYE = "goodbye"


class Window(NamedTuple):
    """A cut-off and the end of the horizon, in UTC milliseconds, and what counts as leaving between them."""

    cutoff: int
    end: int
    leaving: Leaving = Leaving.SILENCE


class Example(NamedTuple):
    """A customer as known at the cut-off, whether they left, and how long they had stood at high when they did.

    `lead_days` is None for who stayed, and for who had not come to high by then.
    """

    customer_id: str
    profile: Profile
    left: bool
    lead_days: float | None = None


def example(customer_id: str, touches: Touches, window: Window, rules: Rules, profile_of: ProfileOf) -> Example | None:
    """The customer's part, from touchpoints in order of time without duplicates; None where they have none."""
    known = [touch for touch in touches if touch[0][0] <= window.cutoff]
    if not known:
        return None
    profile = profile_of(known, rules)
    if has_left(profile) or profile.first_inbound_at is None:
        return None
    later = [touch for touch in touches if window.cutoff < touch[0][0] <= window.end]
    goodbye = _goodbye(later)
    left = goodbye is not None or not _came(later, window.leaving)
    lead = None
    if left:
        at = goodbye if goodbye is not None else profile.last_inbound_at
        lead = _lead([*known, *later], at or window.cutoff, rules, profile_of)
    return Example(customer_id, profile, left, lead)


def _goodbye(later: Touches) -> int | None:
    """When the customer said goodbye, unless that was taken back."""
    said = None
    for step, record in later:
        if record["channel"] == "subscription" and record["touchpoint"] == "cancelled":
            said = step[0]
        elif signals.bought(record) or (record["touchpoint"] in {"activated", "trial_start"} and signals.done(record)):
            said = None
    return said


def _came(later: Touches, leaving: Leaving) -> bool:
    if leaving is Leaving.GOODBYE:
        return True
    if leaving is Leaving.PURCHASE:
        return any(signals.bought(record) for _, record in later)
    return any(record["direction"] == "inbound" for _, record in later)


def _lead(touches: Touches, left_at: int, rules: Rules, profile_of: ProfileOf) -> float | None:
    """Days from the beginning of the last unbroken time at high, looked at with each touchpoint, to the leaving."""
    since = None
    known = [touch for touch in touches if touch[0][0] < left_at]
    for place, (step, _) in reversed(list(enumerate(known))):
        level = standing(profile_of(known[: place + 1], rules), step[0], rules.model)[1]
        if level not in AT_RISK:
            break
        since = step[0]
    return None if since is None else (left_at - since) / DAY


def report(examples: Sequence[Example], window: Window, model: Compiled) -> dict[str, Any]:
    """What `touchline risk evaluate` prints, but for the moment and the version."""
    left = [each.left for each in examples]
    standings = [standing(each.profile, window.cutoff, model) for each in examples]
    scores = [score for score, _ in standings]
    bins = measures.calibration(scores, left)
    leads = [each.lead_days for each in examples if each.lead_days is not None]
    return {
        "customers": len(examples),
        "left": sum(left),
        **_ranking(scores, left),
        "brier": measures.brier(scores, left),
        "levels": [_at_level(name, bound, scores, left) for name, bound in _levels(model)],
        "calibration": [part._asdict() for part in bins],
        "calibration_error": measures.calibration_error(bins),
        "lead": {
            "left": sum(left),
            "warned": len(leads),
            "median_days": measures.quantile(leads, 0.5),
            "quarter_days": measures.quantile(leads, 0.25),
            "three_quarters_days": measures.quantile(leads, 0.75),
        },
        "baselines": {
            name: _ranking([rank(each.profile, window.cutoff, model) for each in examples], left)
            for name, rank in _BASELINES.items()
        },
    }


def _ranking(scores: Sequence[float], left: Sequence[bool]) -> dict[str, float | None]:
    return {"roc_auc": measures.roc_auc(scores, left), "average_precision": measures.average_precision(scores, left)}


def _levels(model: Compiled) -> Iterable[tuple[str, float]]:
    return zip(("medium", "high", "critical"), model.levels, strict=True)


def _at_level(name: str, bound: float, scores: Sequence[float], left: Sequence[bool]) -> dict[str, Any]:
    """How good it would have been to act on everybody from this level up."""
    flagged = [gone for score, gone in zip(scores, left, strict=True) if score >= bound]
    return {
        "level": name,
        "from": bound,
        "customers": len(flagged),
        "precision": sum(flagged) / len(flagged) if flagged else None,
        "recall": sum(flagged) / sum(left) if any(left) else None,
    }


def _recency(profile: Profile, now: int, _: Compiled) -> float:
    return now - (profile.last_inbound_at or 0)


def _frequency(profile: Profile, now: int, _: Compiled) -> float:
    return -profile.inbound


def _complaints(profile: Profile, now: int, _: Compiled) -> float:
    return sum(kind < GOOD for _, kind, _, _ in profile.signals)


def _silence(profile: Profile, now: int, model: Compiled) -> float:
    return silence(profile, now, model.population)


_BASELINES = {"recency": _recency, "frequency": _frequency, "complaints": _complaints, "silence_model": _silence}
