"""What becomes of each customer: who leaves and how, who merely looks like it, who was gone long ago."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from pipeline.simulator.clock import DAY, DAYTIME, settle
from pipeline.simulator.people import SPAN
from pipeline.simulator.segments import Segment

LEAVING = 0.06
GONE = 0.025


@dataclass(frozen=True)
class Fate:
    """A turn in a customer's life between two moments (seconds since 1970).

    Who leaves is not heard of again after `ends`. `keeps` is the share of everyday occasions that still take
    place in between, on average; if it `dwindles`, twice that at first and nothing at the end.
    """

    name: str
    begins: float
    ends: float
    keeps: float = 1.0
    leaves: bool = False
    long_ago: bool = False
    dwindles: bool = False

    def kept(self, moment: float) -> float:
        """The share of everyday occasions that take place at a moment."""
        if not self.begins <= moment <= self.ends:
            return 1.0
        return 2 * self.keeps * (self.ends - moment) / (self.ends - self.begins) if self.dwindles else self.keeps


@dataclass(frozen=True)
class _Way:
    """A kind of fate: how often it is met, by whom, how long ago it ended and how long it took (days)."""

    weight: float
    segments: frozenset[str]
    ended: tuple[float, float]
    took: tuple[float, float]
    keeps: float


_SHOPPERS = frozenset({"frequent_shopper", "occasional_shopper", "store_regular", "subscriber"})
_REGULARS = frozenset({"frequent_shopper", "subscriber", "store_regular"})
_SUBSCRIBERS = frozenset({"subscriber"})
_APP_USERS = frozenset({"subscriber", "frequent_shopper"})

LEAVING_WAYS = {
    "let_down": _Way(28, _SHOPPERS, (0.3, 15), (11, 20), 0.35),
    "cancels": _Way(16, _SUBSCRIBERS, (0.2, 12), (8, 22), 0.4),
    "cannot_pay": _Way(9, _SUBSCRIBERS, (0.5, 10), (8, 18), 0.5),
    "fades": _Way(19, _REGULARS, (12, 22), (42, 84), 0.25),
    "stuck": _Way(8, frozenset({"newcomer"}), (1, 16), (7, 18), 0.1),
    "app_fails": _Way(6, _APP_USERS, (1, 14), (6, 18), 0.6),
    "account_lost": _Way(5, frozenset({"business"}), (0.5, 10), (14, 24), 0.4),
    "falls_silent": _Way(9, _SHOPPERS, (5, 20), (12, 24), 0.5),
}
STAYING_WAYS = {
    "won_back": _Way(2.5, _REGULARS, (8, 60), (9, 16), 0.5),
    "takes_it": _Way(2.5, _SHOPPERS, (3, 50), (6, 14), 1.0),
    "grumbles": _Way(2.5, _SHOPPERS, (0, 1), (120, 180), 1.0),
    "pauses": _Way(2.0, _REGULARS, (0, 110), (24, 45), 0.0),
    "thinks_twice": _Way(1.5, _SUBSCRIBERS, (4, 120), (3, 10), 0.9),
    "only_unsubscribes": _Way(1.5, _SHOPPERS, (1, 100), (1, 2), 1.0),
}
_GONE = {"gone": _Way(1, _SHOPPERS, (60, 140), (10, 20), 0.4)}
_WAYS = LEAVING_WAYS | STAYING_WAYS | _GONE


def draw_fates(segments: list[Segment], now: float, rng: Random) -> dict[int, Fate]:
    """Give out fates, by the customer's place in the list; whoever gets none just lives on."""
    free = list(range(len(segments)))
    rng.shuffle(free)
    fates: dict[int, Fate] = {}
    for name in _names(len(segments), rng):
        if (place := _suited(name, segments, free)) is not None:
            fates[free.pop(place)] = _draw_fate(name, _WAYS[name], now, rng)
        elif name in LEAVING_WAYS and (place := _suited("let_down", segments, free)) is not None:
            fates[free.pop(place)] = _draw_fate("let_down", _WAYS["let_down"], now, rng)
    return fates


def _suited(name: str, segments: list[Segment], free: list[int]) -> int | None:
    """Find the first of the free customers whom it may happen to."""
    fitting = _WAYS[name].segments
    return next((place for place, who in enumerate(free) if segments[who].name in fitting), None)


def _names(customers: int, rng: Random) -> list[str]:
    """Name each fate to be given out, the leavers' first."""
    weights = [way.weight for way in LEAVING_WAYS.values()]
    names = rng.choices(list(LEAVING_WAYS), weights=weights, k=max(1, round(LEAVING * customers)))
    names += ["gone"] * round(GONE * customers)
    for name, way in STAYING_WAYS.items():
        names += [name] * round(way.weight / 100 * customers)
    return names


def _draw_fate(name: str, way: _Way, now: float, rng: Random) -> Fate:
    rough = now - rng.uniform(*way.ended) * DAY
    decent = settle(rough, DAYTIME, rng)
    ends = decent if decent < now else rough
    begins = ends - rng.uniform(*way.took) * DAY
    leaves = name in LEAVING_WAYS or name == "gone"
    return Fate(name, max(begins, now - SPAN), ends, way.keeps, leaves, name == "gone", name == "fades")
