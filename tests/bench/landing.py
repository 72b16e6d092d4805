"""Landing: the whole way from Kafka to a table, and the insert alone beside decoding and inserting rows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline import topics
from pipeline.local.stack import LocalStack
from pipeline.settings import Settings
from schemas import block
from schemas.codec import Decoder, Encoder
from schemas.contracts import latest
from sinks.clickhouse import Client, connect
from sinks.migrate import migrate
from tests.bench.child import figures_of
from tests.bench.feed import feed
from tests.bench.report import median, tell
from tests.bench.stream import touchpoints

PARTITIONS = 4
EVENTS = 1_000_000
ROWS = 20_000
ROUNDS = 5


@dataclass
class Value:
    """A Kafka value at its offset."""

    offset: int
    value: bytes


async def run() -> None:
    """Both measurements, on one engine."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            address = (endpoints.clickhouse_url, endpoints.clickhouse_user, endpoints.clickhouse_password)
            async with await connect(*address) as client:
                await migrate(client, Settings())
                await _inserts(client)
                await client.command("TRUNCATE TABLE touchpoints_log")
            await topics.ensure(endpoints.kafka_url, topics.Making(PARTITIONS))
            await feed(endpoints.kafka_url, touchpoints(EVENTS, EVENTS // 22), PARTITIONS)
            figures = await figures_of(
                "landing_worker",
                str(EVENTS),
                TOUCHLINE_KAFKA_URL=endpoints.kafka_url,
                TOUCHLINE_CLICKHOUSE_URL=address[0],
                TOUCHLINE_CLICKHOUSE_USER=address[1],
                TOUCHLINE_CLICKHOUSE_PASSWORD=address[2],
                TOUCHLINE_PARTITIONS=str(PARTITIONS),
            )
    tell("landing agent, from Kafka to touchpoints", **figures)


async def _inserts(client: Client) -> None:
    """The same values both ways, in turn; medians."""
    encode = Encoder("touchpoints")
    values = [encode(record) for record in touchpoints(ROWS, ROWS // 22)]
    through, rows = [], []
    for turn in range(ROUNDS + 1):
        through.append(await _timed(lambda turn=turn: _pass_through(client, values, turn)))  # type: ignore[misc]
        rows.append(await _timed(lambda turn=turn: _rows(client, values, turn)))  # type: ignore[misc]
    fast, slow = ROWS / median(through[1:]), ROWS / median(rows[1:])
    tell("insert, Avro passed through", rows=ROWS, events_per_s=fast)
    tell("insert, decoded rows", rows=ROWS, events_per_s=slow)
    tell("insert, Avro times rows", ratio=fast / slow)


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def _pass_through(client: Client, values: list[bytes], turn: int) -> None:
    records = [Value(turn * ROWS + index, value) for index, value in enumerate(values)]
    container = block.container(latest("touchpoints"), len(values), block.bodies(1, 0, records))
    await client.insert_avro("touchpoints_log", container, f"through-{turn}")


async def _rows(client: Client, values: list[bytes], turn: int) -> None:
    decode = Decoder("touchpoints")
    records = [decode(value) for value in values]
    columns = [*records[0], "kafka_epoch", "kafka_partition", "kafka_offset"]
    times = {"occurred_at", "received_at"}
    rows = [
        [record[name] if name not in times else _moment(record[name]) for name in records[0]]
        + [2, 0, turn * ROWS + index]
        for index, record in enumerate(records)
    ]
    await client.insert_rows("touchpoints_log", columns, rows)


def _moment(milliseconds: int) -> object:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
