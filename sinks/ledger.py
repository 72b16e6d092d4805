"""The ledger: what has landed, by topic, epoch, partition and range of offsets.

An entry is written after its block was acknowledged, so what the ledger says has landed; what landed just
before a crash may be missing from it and lands again, which changes nothing. Ranges of two workers may
overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

from sinks import sql
from sinks.clickhouse import Client


@dataclass(frozen=True)
class Landed:
    """One range of one partition: `rows` of its records landed, `refused` of them became dead letters.

    `next_offset` is the first offset after the range; the range may hold gaps (transaction markers,
    compaction).
    """

    topic: str
    epoch: int
    partition: int
    first_offset: int
    next_offset: int
    rows: int
    refused: int
    worker: str = ""


_COLUMNS = (*(field.name for field in fields(Landed)), "landed_at")


async def record(client: Client, entries: Sequence[Landed]) -> None:
    """Write all ranges of one landing block, all or none. Raises UnavailableError; then do the same again."""
    now = datetime.now(UTC)
    await client.insert_rows("landing_ledger", _COLUMNS, [(*astuple(entry), now) for entry in entries])


async def marks(client: Client, topic: str, epoch: int) -> dict[int, int]:
    """Return by partition the first offset not landed yet; partitions without landed records are absent."""
    rows = await client.query(sql.query("marks"), {"topic": topic, "epoch": epoch})
    return {int(partition): int(mark) for partition, mark in rows}


async def ranges(client: Client, topic: str, epoch: int | None = None) -> list[Landed]:
    """Return every entry of a topic, of one epoch or of all, by partition and first offset."""
    rows = await client.query(sql.query("ranges"), {"topic": topic, "epoch": -1 if epoch is None else epoch})
    return [Landed(*row) for row in rows]
