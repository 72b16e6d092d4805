"""How well a ranking or a probability tells who leaves. Pure; ties count half wherever order decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple


class Bin(NamedTuple):
    """A tenth of the scale: how many customers, their mean score as a share, and the share that left."""

    customers: int
    predicted: float
    left: float


def roc_auc(scores: Sequence[float], left: Sequence[bool]) -> float | None:
    """The chance that who left scored higher than who stayed; None where nobody left, or everybody."""
    positives = sum(left)
    negatives = len(left) - positives
    if not positives or not negatives:
        return None
    below = wins = 0.0
    for _, group in groupby(sorted(zip(scores, left, strict=True)), key=lambda pair: pair[0]):
        outcomes = [gone for _, gone in group]
        gone = sum(outcomes)
        wins += gone * (below + (len(outcomes) - gone) / 2)
        below += len(outcomes) - gone
    return wins / (positives * negatives)


def average_precision(scores: Sequence[float], left: Sequence[bool]) -> float | None:
    """The mean of the precision at each leaver, from the highest score down; ties stand together. None: no leaver."""
    positives = sum(left)
    if not positives:
        return None
    found = seen = 0
    total = 0.0
    ordered = sorted(zip(scores, left, strict=True), key=lambda pair: -pair[0])
    for _, group in groupby(ordered, key=lambda pair: pair[0]):
        outcomes = [gone for _, gone in group]
        found, seen = found + sum(outcomes), seen + len(outcomes)
        total += sum(outcomes) * found / seen
    return total / positives


def brier(scores: Sequence[float], left: Sequence[bool]) -> float | None:
    """The mean square of the distance between probability (score / 100) and outcome; None of nobody."""
    if not scores:
        return None
    return sum((score / 100 - gone) ** 2 for score, gone in zip(scores, left, strict=True)) / len(scores)


def calibration(scores: Sequence[float], left: Sequence[bool], bins: int = 10) -> list[Bin]:
    """Scores in equal parts of the scale beside what happened; parts without customers are left out."""
    found: dict[int, list[tuple[float, bool]]] = {}
    for score, gone in zip(scores, left, strict=True):
        found.setdefault(min(int(score / 100 * bins), bins - 1), []).append((score / 100, gone))
    return [
        Bin(len(pairs), sum(score for score, _ in pairs) / len(pairs), sum(gone for _, gone in pairs) / len(pairs))
        for _, pairs in sorted(found.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """The mean distance between predicted and observed, by customers (expected calibration error); None of nobody."""
    customers = sum(part.customers for part in bins)
    if not customers:
        return None
    return sum(part.customers * abs(part.predicted - part.left) for part in bins) / customers


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share lies, between neighbours in proportion; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    return ordered[low] + (ordered[math.ceil(place)] - ordered[low]) * (place - low)
