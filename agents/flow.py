"""What a worker holds of the log: how many bytes, since when, up to where all is applied, and what is not read on.

The consumer's thread takes chunks, the agents give them back. A topic of which enough is held is not read on, so memory
is bounded in bytes whatever the lag; each topic has its own share, so one that waits holds up no other. Where chunks
take turns, one transaction each, few are read ahead, and at a distance: so the next one holds all that came meanwhile,
and the busier a partition is, the more records share a transaction.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from agents.chunk import Chunk

Partition = tuple[str, int]
"""Topic and partition."""


class Turns(NamedTuple):
    """How the chunks of a partition follow each other: how many are held at the most, and how far apart they are read.

    What comes after a rest is read at once.
    """

    ahead: int
    seconds: float


class Flow:
    """Safe to use from both threads. Topics that nobody watches, such as changelogs, are neither counted nor held."""

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._watched: set[str] = set()
        self._held: dict[int, Chunk] = {}
        self._bytes: Counter[str] = Counter()
        self._chunks: Counter[Partition] = Counter()
        self._turns: dict[str, Turns] = {}
        self._taken: dict[Partition, float] = {}
        self._reached: dict[Partition, int] = {}
        self._stopped: dict[Partition, str] = {}

    def watch(self, topic: str, turns: Turns | None = None) -> None:
        """Count the chunks of a topic from now on, which take turns by partition, if so told."""
        self._watched.add(topic)
        if turns is not None:
            self._turns[topic] = turns

    def clear(self) -> None:
        """Forget everything: the partitions are being assigned anew, and what was read comes again."""
        with self._lock:
            self._held.clear()
            self._bytes.clear()
            self._chunks.clear()
            self._taken.clear()
            self._reached.clear()
            self._stopped.clear()

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Hold nothing of these partitions any more: they are sought anew, and what was read comes again."""
        gone = set(partitions)
        with self._lock:
            for chunk in [each for each in self._held.values() if (each.topic, each.partition) in gone]:
                self._give_back(chunk)

    def holds(self, chunk: Chunk) -> bool:
        """Whether a chunk was read since its partition was last sought, and not given back: else it comes again."""
        return self._held.get(id(chunk)) is chunk

    def begin(self, partition: Partition, position: int) -> None:
        """Note where a partition is read from."""
        with self._lock:
            if partition[0] in self._watched:
                self._reached[partition] = position

    def may_read(self, partition: Partition) -> bool:
        """Whether more of a partition may be read now."""
        if partition in self._stopped or self._bytes[partition[0]] >= self._most_bytes:
            return False
        turns = self._turns.get(partition[0])
        if turns is None:
            return True
        rested = self._clock() - self._taken.get(partition, float("-inf")) >= turns.seconds
        return rested and self._chunks[partition] < turns.ahead

    def took(self, chunk: Chunk) -> None:
        """Count a chunk that was read."""
        with self._lock:
            if chunk.topic in self._watched:
                self._held[id(chunk)] = chunk
                self._bytes[chunk.topic] += chunk.size
                self._chunks[chunk.topic, chunk.partition] += 1
                if chunk.records:
                    self._taken[chunk.topic, chunk.partition] = self._clock()

    def applied(self, chunk: Chunk) -> None:
        """Give a chunk back whose results are durable, and with it all before it of its partition."""
        with self._lock:
            self._give_back(chunk)
            partition = (chunk.topic, chunk.partition)
            if partition in self._reached:
                self._reached[partition] = max(self._reached[partition], chunk.next)

    def dropped(self, chunk: Chunk) -> None:
        """Give a chunk back that was not applied: it comes again when its partition is assigned anew."""
        with self._lock:
            self._give_back(chunk)

    def _give_back(self, chunk: Chunk) -> None:
        if self._held.pop(id(chunk), None) is not None:
            self._bytes[chunk.topic] -= chunk.size
            self._chunks[chunk.topic, chunk.partition] -= 1

    def stop(self, partition: Partition, why: str) -> None:
        """Read no more of a partition until it is assigned anew."""
        with self._lock:
            self._stopped[partition] = why

    def stopped(self) -> Mapping[Partition, str]:
        """The partitions stopped, and why."""
        with self._lock:
            return dict(self._stopped)

    def held_bytes(self) -> Mapping[str, int]:
        """By topic, about how many bytes of it are held."""
        with self._lock:
            return {topic: self._bytes[topic] for topic in self._watched}

    def reached(self) -> Mapping[Partition, int]:
        """By partition assigned, the position up to which all is applied."""
        with self._lock:
            return dict(self._reached)

    def oldest(self) -> Mapping[Partition, int]:
        """By partition, when the oldest record held and not applied was written, UTC milliseconds."""
        found: dict[Partition, int] = {}
        with self._lock:
            for chunk in self._held.values():
                if chunk.records and chunk.records[0].timestamp > 0:
                    found.setdefault((chunk.topic, chunk.partition), chunk.records[0].timestamp)
        return found
