"""How many events a second each key may send."""

from __future__ import annotations

import math

from pipeline.collector.bucket import Bucket
from pipeline.collector.keys import Key

BURST_SECONDS = 2.0


class Limiter:
    """One bucket a key; keys without a rate of their own take the default, None being no limit.

    The limit is this process's: with several collectors behind one address each gives its own.
    """

    def __init__(self, rate: float | None = None, burst: int | None = None) -> None:
        self._rate = math.inf if rate is None else rate
        self._burst = burst
        self._buckets: dict[str, Bucket] = {}

    def take(self, key: Key, events: int, now: float) -> float:
        """Count the events against the key's limit and return 0, or count none and return the seconds to wait.

        `now` is a monotonic time in seconds. A key whose limit has changed begins with a full bucket.
        """
        rate = self._rate if key.rate is None else key.rate
        if rate == math.inf:
            return 0.0
        burst = key.burst or self._burst or max(1.0, rate * BURST_SECONDS)
        bucket = self._buckets.get(key.id)
        if bucket is None or bucket.rate != rate or bucket.burst != burst:
            bucket = self._buckets[key.id] = Bucket(rate, burst, now)
        return bucket.take(events, now)
