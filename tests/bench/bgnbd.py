"""The BG/NBD model (Fader, Hardie and Lee 2005), fitted and asked as its authors do: the yardstick of the ranking."""

from __future__ import annotations

from math import lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.fitting import _least

Floats = NDArray[np.float64]


def fit(x: Floats, t: Floats, observed: Floats) -> tuple[float, float, float, float]:
    """r, alpha, a, b of greatest likelihood: the best of several starts."""
    length = max(float(observed.mean()), 1.0)
    table = np.arange(int(x.max()) + 1)

    def loss(logs: Floats) -> float:
        wild = 1e3 * float(np.sum(np.maximum(np.abs(logs) - 8, 0) ** 2))
        return wild + 1e-6 * float(np.sum(logs**2)) - _likelihood(np.exp(np.clip(logs, -9, 9)), x, t, observed, table)

    starts = ((0.0, length / 5, 1.0, 2.7), (0.4, length / 10, 0.8, 2.5), (2.7, length, 0.4, 4.5))
    found = [_least(loss, np.log(np.array([max(s[0], 0.3), *s[1:]])), rounds=1500) for s in starts]
    r, alpha, a, b = np.exp(min(found, key=loss))
    return float(r), float(alpha), float(a), float(b)


def _likelihood(rates: Any, x: Floats, t: Floats, observed: Floats, table: NDArray[Any]) -> float:
    r, alpha, a, b = (float(value) for value in rates)
    gammas = np.array([lgamma(r + k) - lgamma(r) + _beta(a, b + k) - _beta(a, b) for k in table])[x.astype(int)]
    stays = -(r + x) * np.log(alpha + observed)
    repeats = np.maximum(x, 1)
    leaves = np.log(a) - np.log(b + repeats - 1) - (r + x) * np.log(alpha + t)
    return float(np.mean(gammas + r * np.log(alpha) + np.where(x > 0, np.logaddexp(stays, leaves), stays)))


def _beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def expected(rates: tuple[float, float, float, float], x: Floats, t: Floats, observed: Floats, ahead: float) -> Floats:
    """Expected purchases in the days ahead (equation 10 of the paper)."""
    r, alpha, a, b = rates
    a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
    z = ahead / (alpha + observed + ahead)
    shrink = ((alpha + observed) / (alpha + observed + ahead)) ** (r + x)
    upper = (a + b + x - 1) / (a - 1) * (1 - shrink * _hypergeometric(r + x, b + x, a + b + x - 1, z))
    odds = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + observed) / (alpha + t)) ** (r + x), 0.0)
    return np.asarray(upper / (1 + odds))


def _hypergeometric(a: Floats, b: Floats, c: Floats, z: Floats) -> Floats:
    """Gauss's series, by Euler's transformation where it converges faster; z below 1."""
    swap = c - a - b > 0
    a, b, factor = np.where(swap, a, c - a), np.where(swap, b, c - b), np.where(swap, 1.0, (1 - z) ** (c - a - b))
    term, total = np.ones_like(z), np.ones_like(z)
    for n in range(20_000):
        term = term * (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total = total + term
        if np.all(np.abs(term) <= 1e-12 * np.abs(total)):
            break
    return np.asarray(factor * total)
