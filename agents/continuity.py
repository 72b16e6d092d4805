"""That every chunk begins where the one before it ended, in the same log. Pure.

A broker may come back without the end of a log, and the log may have grown past where reading stood before anybody
reads on. So after a lost connection the last record known is read again: only if it is still there goes reading on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord
from faust.types import TP

from agents.chunk import CHUNK_BYTES, Chunk, size_of
from pipeline.errors import AnotherLogError
from pipeline.marks import Check, Start, check_of


class Continuity:
    """Where reading stands in each partition that may be read."""

    def __init__(self) -> None:
        self._positions: dict[TP, int] = {}
        self._last: dict[TP, Check] = {}
        self._going_back: set[TP] = set()

    def __contains__(self, tp: TP) -> bool:
        return tp in self._positions

    def forget(self, partitions: Iterable[TP] | None = None) -> None:
        """These partitions (all of them) may not be read until `begin`."""
        for tp in list(self._positions) if partitions is None else partitions:
            self._positions.pop(tp, None)
            self._last.pop(tp, None)
            self._going_back.discard(tp)

    def begin(self, positions: Mapping[TP, int]) -> None:
        """The next chunk of each of these partitions begins there."""
        self._positions.update(positions)

    def remember(self, starts: Mapping[TP, Start]) -> None:
        """Take over the last records before the starts, where nothing has been read since."""
        for tp, start in starts.items():
            if start.check is not None and tp in self._positions:
                self._last.setdefault(tp, start.check)

    def go_back(self) -> dict[TP, int]:
        """Where to read from after a lost connection; what has been read since and not handed over is to be dropped."""
        self._going_back = set(self._last)
        return {tp: self._last[tp].offset if tp in self._last else at for tp, at in self._positions.items()}

    def chunk(self, tp: TP, after: int, records: Sequence[ConsumerRecord]) -> Chunk | None:
        """The next chunk of a partition, given what was read and where reading stands now; None when nothing is new.

        Raises AnotherLogError when this cannot be the log that was read so far.
        """
        first = self._positions[tp]
        if tp in self._going_back:
            records = self._compared(tp, after, records)
            if after <= first:
                return None
        if after == first:
            return None
        if after < first:
            raise _another_log(tp, f"the log ends before {first}")
        if records:
            self._last[tp] = check_of(records[-1])
        self._positions[tp] = after
        return Chunk(tp.topic, tp.partition, first, after, records, size_of(records) + CHUNK_BYTES)

    def _compared(self, tp: TP, after: int, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        """What of the records is new; those before must be the last one known (unless it was taken away) and no other.

        Goes on until the position is reached where reading stood.
        """
        last, first = self._last[tp], self._positions[tp]
        if after < last.offset:
            raise _another_log(tp, f"the log ends before {last.offset}")
        before = [record for record in records if record.offset < first]
        if any(check_of(record) != last for record in before):
            raise _another_log(tp, f"another record stands at {before[0].offset}")
        if after >= first:
            self._going_back.discard(tp)
        return records[len(before) :]


def _another_log(tp: TP, why: str) -> AnotherLogError:
    return AnotherLogError(f"{tp.topic}-{tp.partition}: {why}: it was cut short or made anew; a new start sorts it out")
