"""The memory for duplicates: which event_ids of one customer have been applied within the history.

Eight bytes of a hash per id: the chance that a new touchpoint is taken for one of n remembered ones is n / 2**64. Ids
are grouped by the hour of their touchpoint, so that those older than the history can be forgotten together. At most
LIMIT ids are kept: beyond it the oldest hours go, and with them the right of touchpoints that old to be applied
(`State.floor`), so that nothing is counted twice. Only where a single hour holds more than LIMIT does its oldest
arrival go alone, and a redelivery after LIMIT others of that hour would count again.

The limit is what keeps the cost of an event the same however long the customer's past: the memory is searched and
written whole, 16 KB at the most.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b

HOUR = 3_600_000
WIDTH = 8
LIMIT = 2_048
MANY = 64
"""From so many touchpoints at once a set of the remembered ids, made for the occasion, is cheaper than searching."""


def key_of(event_id: bytes) -> bytes:
    """The eight bytes an id is remembered by."""
    return blake2b(event_id, digest_size=WIDTH).digest()


class Seen:
    """The memory while it is being worked on; `hours`, `counts` and `keys` go back into the State."""

    __slots__ = ("_known", "counts", "hours", "keys")

    def __init__(self, hours: list[int], counts: list[int], keys: bytes, expected: int = 1) -> None:
        """Take the memory up to meet `expected` touchpoints: a hint, which changes the cost and nothing else."""
        self.hours = hours
        self.counts = counts
        self.keys = bytearray(keys)
        self._known = set(_split(self.keys)) if expected >= MANY else None

    def __contains__(self, key: bytes) -> bool:
        if self._known is not None:
            return key in self._known
        at = self.keys.find(key)
        while at > 0 and at % WIDTH:
            at = self.keys.find(key, at + 1)
        return at >= 0

    def add(self, key: bytes, moment: int) -> int | None:
        """Remember a key; where the limit made older ones go, return the new floor: the time kept from now on."""
        if self._known is not None:
            self._known.add(key)
        hour = moment // HOUR
        hours, counts = self.hours, self.counts
        if not hours or hour > hours[-1]:
            hours.append(hour)
            counts.append(1)
            self.keys += key
        elif hour == hours[-1]:
            counts[-1] += 1
            self.keys += key
        else:
            self._insert(key, hour)
        return self._shrink() if len(self.keys) > LIMIT * WIDTH else None

    def _insert(self, key: bytes, hour: int) -> None:
        at = bisect_left(self.hours, hour)
        before = sum(self.counts[:at])
        if self.hours[at] == hour:
            before += self.counts[at]
            self.counts[at] += 1
        else:
            self.hours.insert(at, hour)
            self.counts.insert(at, 1)
        self.keys[before * WIDTH : before * WIDTH] = key

    def _shrink(self) -> int | None:
        if len(self.hours) == 1:
            self.counts[0] -= 1
            self._cut(1)
            return None
        self._drop(1)
        return self.hours[0] * HOUR

    def forget(self, horizon: int) -> None:
        """Forget the hours that lie wholly before the horizon."""
        first = horizon // HOUR
        if self.hours and self.hours[0] < first:
            self._drop(bisect_left(self.hours, first))

    def _drop(self, hours: int) -> None:
        self._cut(sum(self.counts[:hours]))
        del self.hours[:hours]
        del self.counts[:hours]

    def _cut(self, count: int) -> None:
        """Take the first keys off."""
        if self._known is not None:
            self._known.difference_update(_split(self.keys[: count * WIDTH]))
        del self.keys[: count * WIDTH]


def _split(keys: bytearray) -> list[bytes]:
    return [bytes(keys[at : at + WIDTH]) for at in range(0, len(keys), WIDTH)]
