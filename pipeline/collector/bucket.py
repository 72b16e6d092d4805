"""A token bucket, one token an event. Pure: time is passed in."""

from __future__ import annotations

_ROUNDING = 1e-6
"""Tokens by which floating point may be wrong about a bucket that has just filled up."""


class Bucket:
    """Fills with `rate` tokens a second up to `burst`.

    What asks for more than the burst waits for a full bucket and then leaves it in debt, so that any amount is
    possible at all. In any span of T seconds at most rate * T + max(burst, the largest amount) tokens are given.
    """

    __slots__ = ("_at", "_level", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._level = burst
        self._at = now

    def take(self, count: int, now: float) -> float:
        """Take the tokens and return 0; or take none and return for how many seconds it will not work."""
        if now > self._at:
            self._level = min(self.burst, self._level + (now - self._at) * self.rate)
            self._at = now
        missing = min(count, self.burst) - self._level
        if missing > _ROUNDING:
            return missing / self.rate
        self._level -= count
        return 0.0

    def give_back(self, count: int) -> None:
        """Put tokens back that were not used after all."""
        self._level = min(self.burst, self._level + count)
