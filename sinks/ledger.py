"""The ledger: what has landed, by topic, epoch, partition and range of offsets.

An entry is written after its block was acknowledged, so what the ledger says has landed; what landed just
before a crash may be missing from it and lands again, which changes nothing. Ranges of two workers may
overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

from aiokafka import TopicPartition

from pipeline.marks import NO_CHECK, Check, Mark
from pipeline.topics import LANDED
from sinks import sql
from sinks.clickhouse import Client, QueryError


@dataclass(frozen=True)
class Landed:
    """One range of one partition: `rows` of its records landed, `refused` of them became dead letters.

    `next_offset` is the first offset after the range; the range may hold gaps (transaction markers,
    compaction). `check_offset` and `check_digest` say what its last record was (`pipeline.marks.Check`); -1 where it
    holds none, or nobody noted it.
    """

    topic: str
    epoch: int
    partition: int
    first_offset: int
    next_offset: int
    rows: int
    refused: int
    worker: str = ""
    check_offset: int = NO_CHECK.offset
    check_digest: int = NO_CHECK.digest


_NO_LEDGER = frozenset({60, 81})  # UNKNOWN_TABLE, UNKNOWN_DATABASE
_COLUMNS = (*(field.name for field in fields(Landed)), "landed_at")


async def record(client: Client, entries: Sequence[Landed]) -> None:
    """Write all ranges of one landing block, all or none. Raises UnavailableError; then do the same again."""
    now = datetime.now(UTC)
    await client.insert_rows("landing_ledger", _COLUMNS, [(*astuple(entry), now) for entry in entries])


async def marks(client: Client, topic: str, epoch: int) -> dict[int, int]:
    """Return by partition the first offset not landed yet; partitions without landed records are absent."""
    rows = await client.query(sql.query("marks"), {"topic": topic, "epoch": epoch})
    return {int(partition): int(mark) for partition, mark in rows}


async def checked_marks(client: Client, topic: str, epoch: int) -> dict[int, Mark]:
    """Return the marks by partition, with what they remember of the log; those of a later epoch come first."""
    rows = await client.query(sql.query("checked_marks"), {"topic": topic, "epoch": epoch})
    return {
        int(partition): Mark(int(own), int(position), Check(int(offset), int(digest)) if offset >= 0 else None)
        for partition, own, position, offset, digest in rows
    }


async def landed_marks(client: Client, epochs: Mapping[str, int]) -> dict[TopicPartition, Mark]:
    """Return the marks of all landed topics, given the current epochs."""
    return {
        TopicPartition(topic.name, partition): mark
        for topic in LANDED
        for partition, mark in (await checked_marks(client, topic.name, epochs[topic.name])).items()
    }


async def highest_epoch(client: Client) -> int:
    """Return the highest epoch of which anything has landed; 0 for none, or where there is no ledger yet."""
    try:
        [(epoch,)] = await client.query(sql.query("highest_epoch"))
    except QueryError as error:
        if error.code in _NO_LEDGER:
            return 0
        raise
    return int(epoch)


async def ranges(client: Client, topic: str, epoch: int | None = None) -> list[Landed]:
    """Return every entry of a topic, of one epoch or of all, by partition and first offset."""
    rows = await client.query(sql.query("ranges"), {"topic": topic, "epoch": -1 if epoch is None else epoch})
    return [Landed(*row) for row in rows]
