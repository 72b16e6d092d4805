"""Telling bad data from a bad deploy: a partition whose records are mostly refused is stopped, not emptied."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from agents.chunk import Chunk

WINDOW = 1_000
LEAST = 500


@dataclass
class _Seen:
    """One partition's records so far: how many, and which of the last WINDOW were refused, by their number."""

    records: int = 0
    refused: deque[int] = field(default_factory=deque)


class Guard:
    """Watches, record by record, what share of each partition's last WINDOW records was refused."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def forget(self) -> None:
        """Begin anew with every partition: they are assigned anew, and what was not applied comes again."""
        self._seen.clear()

    def trips(self, partition: int, records: int, refused: Iterable[int]) -> bool:
        """Count a chunk of so many records, of which those at the indexes `refused`, ascending, were refused.

        True when at any of its records over half of the partition's last WINDOW, and at least LEAST, were refused.
        """
        seen = self._seen.setdefault(partition, _Seen())
        tripped = False
        for index in refused:
            number = seen.records + index
            seen.refused.append(number)
            while seen.refused[0] <= number - WINDOW:
                seen.refused.popleft()
            bad = len(seen.refused)
            tripped = tripped or (bad >= LEAST and bad * 2 > min(number + 1, WINDOW))
        seen.records += records
        return tripped

    def judge(self, chunks: Sequence[Chunk], refused: Set[tuple[int, int]]) -> tuple[list[Chunk], list[Chunk]]:
        """Count chunks of one topic, of which the records at these (partition, offset) were refused.

        Returns the chunks that may be committed and those that may not: of each partition, the one at which it trips
        and all after it.
        """
        kept: list[Chunk] = []
        held: list[Chunk] = []
        stopped: set[int] = set()
        for chunk in sorted(chunks, key=lambda chunk: chunk.first):
            number = chunk.partition
            bad = [i for i, each in enumerate(chunk.records) if (number, each.offset) in refused] if refused else []
            if number in stopped or self.trips(number, len(chunk.records), bad):
                stopped.add(number)
                held.append(chunk)
            else:
                kept.append(chunk)
        return kept, held
