"""What an agent receives: a stretch of one partition's log, instead of one record at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

RECORD_BYTES = 400
"""About what a record costs in memory beside its key and value."""

CHUNK_BYTES = 16_384
"""What a chunk is counted as at the least, so that many empty ones are not free."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The records of one partition from position `first` up to, not including, position `next`.

    Positions may outnumber records: transaction markers, aborted transactions and compaction leave gaps. A chunk may
    hold no record at all, when only the position moved. `size` is about what it takes in memory, in bytes.
    """

    topic: str
    partition: int
    first: int
    next: int
    records: Sequence[ConsumerRecord]
    size: int = CHUNK_BYTES


def size_of(records: Sequence[ConsumerRecord]) -> int:
    """About how many bytes of memory the records take."""
    return sum(len(record.value or b"") + len(record.key or b"") for record in records) + RECORD_BYTES * len(records)
