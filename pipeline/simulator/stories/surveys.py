"""Asking customers how it was; most never answer."""

from __future__ import annotations

from pipeline.simulator.clock import HOUR, MINUTE
from pipeline.simulator.diary import Diary

_SCALES = {"nps": (0, 10, 7.3, 4.0), "csat": (1, 5, 3.9, 1.7), "ces": (1, 7, 5.3, 2.4)}
"""Lowest, highest and middling mark, and how far a feeling moves it. In ces, 7 means that it was easy."""


def ask(diary: Diary, at: float, metric: str, felt: float, reference: str | None = None) -> float:
    """Send a request for feedback; with luck a rating comes back within a day or two."""
    diary.write(at, "survey.feedback_request", reference=reference, attributes={"metric": metric})
    eager = diary.person.answers * (1.0 + 0.5 * abs(felt))
    return (
        answer(diary, at + diary.pause(5 * MINUTE, 30 * HOUR), metric, felt, reference) if diary.chance(eager) else at
    )


def answer(diary: Diary, at: float, metric: str, felt: float, reference: str | None = None) -> float:
    """Rate, and now and then add a few words."""
    low, high, middle, swing = _SCALES[metric]
    mark = middle + swing * (felt + 0.4 * (diary.person.temper - 0.3)) + diary.rng.gauss(0, 0.08 * (high - low))
    score = float(max(low, min(high, round(mark))))
    bought = metric == "csat" and reference is not None and reference.startswith("O-")
    what = "survey.post_purchase_survey" if bought else f"survey.{metric}"
    diary.write(at, what, rating_metric=metric, rating_score=score, reference=reference, outcome="completed")
    if diary.chance(0.2):
        at += diary.pause(20, 120)
        diary.write(at, "survey.feedback", sentiment=diary.mood(felt), reference=reference)
    return at
