"""The records that landing takes, and those that it refuses, each with its dead letter."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.chunk import Chunk
from agents.refusal import envelope
from pipeline.forgotten import REFUSAL
from pipeline.model import FieldError, LogPosition, Rejected, dead_letter
from schemas import block
from schemas.codec import Decoder, Encoder

SOURCE = "landing"


class LogRecord(block.Value, Protocol):
    """What landing needs of a Kafka record."""

    topic: str
    partition: int


@dataclass(slots=True)
class Recast:
    """A record whose value was encoded anew as the latest version; `original` is what stands in the log."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    original: bytes


class Refusals:
    """What was refused of some chunks: `letters` are the dead letters of `records`, encoded, in the same order."""

    def __init__(self, epoch: int, decode: Decoder, encode: Encoder) -> None:
        self.records: list[LogRecord] = []
        self.letters: list[bytes] = []
        self._codes: list[str] = []
        self.forgotten: set[tuple[int, int]] = set()
        """Partition and offset of those that are refused because their customer is to stay forgotten."""
        self._epoch = epoch
        self._decode = decode
        self._encode = encode

    def add(self, record: LogRecord, code: str, why: str) -> None:
        """Refuse a record."""
        self.records.append(record)
        self._codes.append(code)
        original = record.original if isinstance(record, Recast) else record.value
        self._keep(record, envelope(original, FieldError(code, "", why), self._decode))

    def forget(self, record: LogRecord) -> None:
        """Refuse a record of a customer who is to stay forgotten: nothing of it is kept, and nobody is to blame."""
        self.records.append(record)
        self._codes.append(REFUSAL.errors[0].code)
        self.forgotten.add((record.partition, record.offset))
        self._keep(record, REFUSAL)

    def _keep(self, record: LogRecord, rejected: Rejected) -> None:
        position = LogPosition(record.topic, self._epoch, record.partition, record.offset)
        self.letters.append(self._encode(dead_letter(rejected, SOURCE, int(time.time() * 1000), position)))

    def keep_within(self, chunks: Sequence[Chunk]) -> None:
        """Forget what is not of these chunks."""
        kept = {(chunk.partition, record.offset) for chunk in chunks for record in chunk.records}
        left = [n for n, record in enumerate(self.records) if (record.partition, record.offset) in kept]
        self.records = [self.records[n] for n in left]
        self.letters = [self.letters[n] for n in left]
        self._codes = [self._codes[n] for n in left]

    def codes(self) -> Counter[str]:
        """How many were refused, by the reason's code."""
        return Counter(self._codes)
