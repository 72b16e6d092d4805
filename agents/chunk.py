"""What an agent receives: a stretch of one partition's log, instead of one record at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord


@dataclass(frozen=True, slots=True)
class Chunk:
    """The records of one partition from position `first` up to, not including, position `next`.

    Positions may outnumber records: transaction markers, aborted transactions and compaction leave gaps. A chunk may
    hold no record at all, when only the position moved.
    """

    topic: str
    partition: int
    first: int
    next: int
    records: Sequence[ConsumerRecord]
