"""Purchase histories of made-up shops: several processes, drawn from a seed.

The shipped rates were chosen on other seeds of the same processes, so these show what is new draws, not new processes.

A history is each customer's purchases as days after the shop's beginning; LOOKED_AT days are known, AHEAD are foretold.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

History = dict[str, list[float]]
LOOKED_AT = 365.0
AHEAD = 270.0
_END = LOOKED_AT + AHEAD
Draw = Callable[[np.random.Generator, float], Iterator[float]]


def pareto_nbd(r: float, alpha: float, s: float, beta: float) -> Draw:
    """Purchases at a constant rate until an exponential death (Schmittlein, Morrison and Colombo 1987)."""

    def draw(rng: np.random.Generator, at: float) -> Iterator[float]:
        rate, death = rng.gamma(r, 1 / alpha), at + rng.exponential(1 / rng.gamma(s, 1 / beta))
        while (at := at + rng.exponential(1 / rate)) <= min(death, _END):
            yield at

    return draw


def bg_nbd(r: float, alpha: float, a: float, b: float) -> Draw:
    """Purchases at a constant rate, after each of which the customer may be gone."""

    def draw(rng: np.random.Generator, at: float) -> Iterator[float]:
        rate, chance = rng.gamma(r, 1 / alpha), rng.beta(a, b)
        while rng.random() > chance and (at := at + rng.exponential(1 / rate)) <= _END:
            yield at

    return draw


def clockwork(gap: float, spread: float, life: float, shape: int) -> Draw:
    """Regular purchases: gaps are Erlang, their mean lognormal between customers."""

    def draw(rng: np.random.Generator, at: float) -> Iterator[float]:
        mean, death = rng.lognormal(math.log(gap), spread), at + rng.exponential(life)
        while (at := at + rng.gamma(shape, mean / shape)) <= min(death, _END):
            yield at

    return draw


def seasonal(gap: float, spread: float, life: float, burst: float) -> Draw:
    """Bursts of purchases, more of them at the year's end, and a death that is likelier early (Weibull)."""

    def draw(rng: np.random.Generator, at: float) -> Iterator[float]:
        mean, death = rng.lognormal(math.log(gap), spread), at + rng.weibull(0.7) * life
        while (at := at + (rng.uniform(0, 4) if rng.random() < burst else rng.exponential(mean))) <= min(death, _END):
            if at % 365 > 300 or rng.random() < 0.6:
                yield at

    return draw


KINDS: dict[str, Draw] = {
    "pareto_nbd": pareto_nbd(0.55, 75, 0.6, 80),
    "pareto_nbd_quick": pareto_nbd(0.9, 12, 0.5, 60),
    "pareto_nbd_slow": pareto_nbd(1.2, 200, 0.8, 300),
    "bg_nbd": bg_nbd(0.3, 30, 0.8, 2.5),
    "bg_nbd_loyal": bg_nbd(1.0, 60, 0.4, 4.0),
    "clockwork": clockwork(35, 0.6, 300, 4),
    "seasonal": seasonal(45, 1.0, 220, 0.2),
}


def shop(kind: str, seed: int, customers: int = 3_000) -> History:
    """A shop whose customers join in the first seven months."""
    rng = np.random.default_rng(seed)
    made: History = {}
    for number in range(customers):
        joined = rng.uniform(0, 0.6 * LOOKED_AT)
        made[f"c{number}"] = [joined, *KINDS[kind](rng, joined)]
    return made


def read(file: Path) -> History:
    """A history of lines `customer ... YYYYMMDD ...`, parted by white space or commas, a heading allowed.

    The customer stands in the column before the date; one purchase a day counts.
    """
    found: defaultdict[str, set[float]] = defaultdict(set)
    for line in file.read_text().splitlines():
        fields = line.replace(",", " ").split()
        place = next((n for n, field in enumerate(fields) if n and len(field) == 8 and field.isdigit()), None)
        if place is not None:
            moment = datetime.strptime(fields[place], "%Y%m%d").replace(tzinfo=UTC)
            found[fields[place - 1]].add(moment.timestamp() / 86_400)
    begin = min(min(days) for days in found.values())
    return {customer: sorted(day - begin for day in days) for customer, days in found.items()}
