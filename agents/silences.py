"""When each customer's level changes next if nothing happens: worked out once, not asked again and again.

A customer who has just been heard of is left alone for a while, since most of a visit's touchpoints come at once; then
one computation (`pipeline.outlook`) gives the moment, up to LOOK_DAYS ahead. When it comes, an order goes into the log,
in line with the touchpoints (`pipeline.requests.Look`), so that a change by silence has its place there like any other.
"""

from __future__ import annotations

import heapq
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline import state as states
from pipeline.customer import Rules, revision_of
from pipeline.model import ANONYMOUS_PREFIX
from pipeline.outlook import next_change
from pipeline.requests import Look
from pipeline.rhythm import DAY
from pipeline.risk import standing

LOOK_DAYS = 30
"""How far ahead is looked; what comes later is looked for then, which costs less than to look years ahead."""
_FIRST_OTHER = 0xF8
"""No UTF-8 text begins with this byte or a higher one: such keys in the table are not customers'."""
_UNKNOWN = ANONYMOUS_PREFIX.encode()

Clock = Callable[[], int]


def _now() -> int:
    return time.time_ns() // 1_000_000


class Order(NamedTuple):
    """That a customer, by key, is to be scored."""

    key: bytes
    look: Look


@dataclass
class _Partition:
    """`quiet` since when, the longest first; the `next` moment by customer; all `moments` as a heap, some outdated."""

    quiet: dict[bytes, int] = field(default_factory=dict)
    next: dict[bytes, int] = field(default_factory=dict)
    moments: list[tuple[int, bytes]] = field(default_factory=list)


class Silences:
    """Keeps an eye on the customers of the partitions owned. Times are UTC milliseconds."""

    def __init__(self, rules: Callable[[], Rules], quiet_seconds: float, clock: Clock = _now) -> None:
        self._rules = rules
        self._quiet_ms = quiet_seconds * 1000
        self._clock = clock
        self._partitions: defaultdict[int, _Partition] = defaultdict(_Partition)

    def changed(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Note that a state was written, or, without a value, that it is gone."""
        if key[0] >= _FIRST_OTHER or key.startswith(_UNKNOWN):
            return
        known = self._partitions[partition]
        known.quiet.pop(key, None)
        known.next.pop(key, None)
        if value is not None:
            known.quiet[key] = self._clock()

    def forget(self, partitions: Iterable[int]) -> None:
        """Let go of partitions that are not ours any more."""
        for partition in partitions:
            self._partitions.pop(partition, None)

    def look(self, partition: int, before: Mapping[bytes, bytes], seconds: float) -> None:
        """Work out the next change of those who have been quiet for long enough, for about so long."""
        known, until, now = self._partitions[partition], time.monotonic() + seconds, self._clock()
        rules = self._rules()
        while known.quiet and time.monotonic() < until:
            key, since = next(iter(known.quiet.items()))
            if now - since < self._quiet_ms:
                return
            del known.quiet[key]
            if (value := before.get(key)) is not None and (moment := _next(value, now, rules)) is not None:
                known.next[key] = moment
                heapq.heappush(known.moments, (moment, key))

    def due(self, partition: int, before: Mapping[bytes, bytes], now: int) -> Iterator[Order]:
        """The orders whose moment has come. What comes of them is seen by the next look."""
        known, model = self._partitions[partition], self._rules().model
        while known.moments and known.moments[0][0] <= now:
            moment, key = heapq.heappop(known.moments)
            if known.next.get(key) != moment:
                continue  # something has happened since
            del known.next[key]
            known.quiet[key] = self._clock()
            if (value := before.get(key)) is not None:
                state = states.load(value)
                if standing(state.profile, moment, model)[1] != state.level:  # else it is only time to look again
                    yield Order(key, Look(revision_of(state.epoch, state.offset), moment))


def _next(value: bytes, now: int, rules: Rules) -> int | None:
    """The moment of a customer's next change, else of another look; None for who has left and will not change."""
    state = states.load(value)
    level = standing(state.profile, now, rules.model)[1]
    if level != state.level:  # while nobody looked, or by another model
        return now
    if level == "gone":
        return None
    change = next_change(state.profile, now, rules.model, LOOK_DAYS)
    return now + LOOK_DAYS * DAY if change is None else change.moment
