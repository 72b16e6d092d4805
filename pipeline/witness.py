"""Asks ClickHouse for the touchpoints that a partition of the log holds, one by one."""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from pipeline.log_reader import LogReader, Span
from schemas.codec import Decoder, UndecodableError, UnmetSchemaError
from schemas.ids import Ids
from sinks import sql
from sinks.clickhouse import Client

MOST_UNSEEN = 200
_NOWHERE = (1 << 63, 0)
_ROW = struct.Struct("<qq16s")


@dataclass
class Findings:
    """What the rows lack or have too much.

    `missing` records have no row of their key, `wrong` rows are not what the log holds at their offset, and
    `invented` rows have no record.
    """

    missing: int = 0
    wrong: int = 0
    invented: int = 0
    examples: dict[str, int] = field(default_factory=dict)
    unseen: list[tuple[bytes, int]] = field(default_factory=list)
    """Keys and offsets of the first records counted as missing, up to MOST_UNSEEN."""

    @property
    def notes(self) -> list[str]:
        """What was found, in words, each with the first offset."""
        counts = {"missing": self.missing, "wrong": self.wrong, "invented": self.invented}
        words = {
            "missing": "landed touchpoints have no row",
            "wrong": "rows differ from the log",
            "invented": "rows have no record in the log",
        }
        return [
            f"{count} {words[kind]}, the first at offset {self.examples[kind]}"
            for kind, count in counts.items()
            if count
        ]

    def add(self, kind: str, offset: int) -> None:
        """Count one."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.examples.setdefault(kind, offset)

    def miss(self, key: bytes, offset: int) -> None:
        """Count a record as missing, and remember it."""
        self.add("missing", offset)
        if len(self.unseen) < MOST_UNSEEN:
            self.unseen.append((key, offset))

    def excuse(self, places: Mapping[bytes, tuple[int, int]], epoch: int) -> None:
        """Take off the missing those whose row came from another partition, at or before their own place.

        That is so of a touchpoint that was written under a wrong Kafka key, and again under the right one.
        """
        left = [offset for key, offset in self.unseen if places.get(key, _NOWHERE) > (epoch, offset)]
        self.missing -= len(self.unseen) - len(left)
        if left:
            self.examples["missing"] = left[0]


async def places_of(clickhouse: Client, keys: Iterable[bytes]) -> dict[bytes, tuple[int, int]]:
    """Where the rows of these keys stand, in whatever partition."""
    rows = await clickhouse.query(sql.query("touchpoint_places"), {"keys": [key.hex() for key in keys]})
    return {bytes.fromhex(key): (epoch, offset) for key, epoch, offset in rows}


@dataclass(frozen=True)
class Rows:
    """The view's touchpoints: by key where each stands (epoch, offset), and by offset those of one epoch."""

    positions: Mapping[bytes, tuple[int, int]]
    by_offset: Mapping[int, bytes]
    epoch: int


async def rows_of(clickhouse: Client, partition: int, epoch: int) -> Rows:
    """Ask the view for one partition: keys of all epochs, and by offset the rows of the given one."""
    positions: dict[bytes, tuple[int, int]] = {}
    by_offset: dict[int, bytes] = {}
    packed = await clickhouse.raw(sql.query("touchpoint_keys"), {"partition": partition})
    for row_epoch, offset, key in _ROW.iter_unpack(packed):
        positions[key] = (row_epoch, offset)
        if row_epoch == epoch:
            by_offset[offset] = key
    return Rows(positions, by_offset, epoch)


async def examine(  # noqa: PLR0913 (what it depends on, each once)
    log: LogReader, spans: Mapping[TopicPartition, Span], rows: Rows, ids: Ids, *, excused: Set[int], deep: bool
) -> Findings:
    """Read one partition's span and look its touchpoints up among the rows.

    A record whose offset has no row must have one of its key that stands before it in the log. With `deep`, a
    row is also compared with the record at its offset. Excused offsets (refused ones) and records that cannot
    be decoded need no row.
    """
    [(tp, span)] = spans.items()
    found, key_of = Findings(), _Keys(tp.topic, ids)
    seen: set[int] = set()
    async for batch in log.records(spans):
        seen.update(record.offset for record in batch)
        for record in batch:
            row = rows.by_offset.get(record.offset)
            if (row is not None and not deep) or record.offset in excused:
                continue
            key = await key_of(record.value)
            if key is None:
                continue
            if row is None and rows.positions.get(key, _NOWHERE) >= (rows.epoch, record.offset):
                found.miss(key, record.offset)
            elif row is not None and row != key:
                found.add("wrong", record.offset)
    begin = min(seen, default=span.end)
    for offset in sorted(rows.by_offset):
        if begin <= offset < span.end and offset not in seen:
            found.add("invented", offset)
    return found


class _Keys:
    """From a framed value to what identifies its touchpoint, as queries/touchpoint_keys.sql has it."""

    def __init__(self, topic: str, ids: Ids) -> None:
        self._topic = topic
        self._ids = ids
        self._decode = Decoder(topic, ids)

    async def __call__(self, value: bytes) -> bytes | None:
        """Return half a SHA-256, or None for a value that cannot be decoded."""
        try:
            return self._key(value)
        except UnmetSchemaError:
            await self._ids.meet(self._topic, [value])
            return self._key(value)

    def _key(self, value: bytes) -> bytes | None:
        try:
            record = self._decode(value)
            event = str(uuid.UUID(record["event_id"]))
        except (UndecodableError, ValueError):
            return None
        return hashlib.sha256(f"{record['customer_id']}\0{event}".encode()).digest()[:16]
