"""One partition of which most is refused: both workers stop it, say so, go on with the others, and try again later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from pipeline.landed import committed_positions
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from pipeline.topics import CUSTOMERS_GROUP, epochs
from tests.clickstream import JOURNEY_GAP, Click, clicks, spans
from tests.command import touchline
from tests.fault.straight import Straight, metrics_of, record_of, straight, until_ready
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

STOPPED, GARBAGE = 1, 800


def told(why: list[str]) -> bool:
    """Whether the reasons name the partition, and no other."""
    stopped = [reason for reason in why if "stopped: most records are refused" in reason]
    assert all(f"partition {STOPPED} of touchpoints" in reason for reason in stopped)
    return bool(stopped)


async def test_a_partition_of_garbage_is_stopped_and_no_other(tmp_path: Path) -> None:
    rows = clicks(customers=200, rows=4_000, seed=5, days=60)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        kafka_url = installation.endpoints.kafka_url
        async with straight(kafka_url) as sender:
            first, places = await send_all(sender, rows[:2_000]), []
            for _ in range(GARBAGE):
                places.append(await sender.send_raw(b"x", b"\x00\x00\x00\x00\x00not ours", STOPPED))
            await sender.flush()
            begin = places[0].result().offset
            await until_told(installation)
            later = await send_all(sender, rows[2_000:])
            await sender.flush()
        reached = {row.customer_id: row for row, partition in first + later if partition != STOPPED}
        expected = [row for row, partition in first + later if row.customer_id in reached]
        await until_journeys(data, expected)
        await check_nothing_committed(data, kafka_url, begin)
        for role in ("customers", "landing"):
            held = await metrics_of(installation.endpoints.extra["health"][role])
            label = f'{{partition="{STOPPED}",topic="touchpoints"}}'
            assert held[f"touchline_partition_stopped{label}"] == 1
            assert sum(value for name, value in held.items() if name.startswith("touchline_partition_stopped")) == 1
            await installation.relaunch(role)
        await until_told(installation)
        await check_nothing_committed(data, kafka_url, begin)


async def send_all(sender: Straight, rows: list[Click]) -> list[tuple[Click, int]]:
    """Send the rows; each with the partition that took it."""
    sent = []
    for row in rows:
        sent.append((row, await sender.send(record_of(row))))
    await sender.flush()
    return [(row, place.result().partition) for row, place in sent]


async def until_told(installation: Installation) -> None:
    health = installation.endpoints.extra["health"]
    for role in ("customers", "landing"):
        await until_ready(health[role], lambda status, why: status == 503 and told(why))


async def until_journeys(data: Path, rows: list[Click]) -> None:
    """Wait for the journeys of these rows' customers."""
    expected = spans(rows, JOURNEY_GAP)
    customers = {row.customer_id for row in rows}
    async with asyncio.timeout(60):
        while [span for span in await seen(data, "journeys") if span.customer_id in customers] != expected:
            await asyncio.sleep(0.5)


async def check_nothing_committed(data: Path, kafka_url: str, begin: int) -> None:
    """Neither group is past the chunk with the garbage, and there are no dead letters of its first 500 records."""
    partition, epoch = TopicPartition("touchpoints", STOPPED), (await epochs(kafka_url))["touchpoints"]
    reached = await committed_positions(kafka_url, CUSTOMERS_GROUP, [partition], epoch).read()
    assert reached.get(partition, 0) <= begin + 500
    query = f"SELECT max(next_offset) FROM landing_ledger WHERE topic = 'touchpoints' AND partition = {STOPPED}"
    answer = await touchline("sql", query, "--format", "TSV", "--data", str(data))
    assert int(answer.output) <= begin + 500
    audit = await touchline("audit", "--data", str(data), "--json")
    assert audit.status == 1
    lines = {line["partition"]: line for line in audit.json()["partitions"] if line["topic"] == "touchpoints"}
    assert [number for number, line in lines.items() if line["difference"]] == [STOPPED]
