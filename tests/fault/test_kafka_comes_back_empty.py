"""Kafka loses its disk under load and comes back empty at the same address."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnavailableError
from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from pipeline.topics import ALL, epochs
from sinks.clickhouse import Client, connect
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, clicks, spans
from tests.command import touchline
from tests.fault.load import Load
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

SETTINGS = Settings(collector_port=0, collector_private_port=0)
BEFORE, AFTER, CUSTOMERS = 6_000, 4_000, 100


@asynccontextmanager
async def watched(data: Path) -> AsyncIterator[Installation]:
    async with Installation(SETTINGS, data, on_event=lambda _: None) as installation:
        watching = asyncio.create_task(installation.watch())
        try:
            yield installation
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


@asynccontextmanager
async def clickhouse(installation: Installation) -> AsyncIterator[Client]:
    known = installation.endpoints
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        yield client


def lose_disk(installation: Installation, data: Path) -> None:
    """SIGKILL Kafka and delete its folder, before anybody starts it again."""
    installation.stack.child("kafka").kill()
    shutil.rmtree(data / "kafka")


async def until_new(kafka_url: str, before: dict[str, int]) -> dict[str, int]:
    """Wait until every topic has another epoch than before."""
    async with asyncio.timeout(120):
        while True:
            with suppress(UnavailableError):
                now = await epochs(kafka_url)
                if set(now) == set(before) and all(now[topic] != before[topic] for topic in before):
                    return now
            await asyncio.sleep(0.2)


async def landed_ids(client: Client) -> set[str]:
    return {str(event_id) for (event_id,) in await client.query("SELECT event_id FROM touchpoints")}


async def audited(data: Path) -> Any:
    answer = await touchline("audit", "--data", str(data), "--json", "--deep")
    assert answer.status == 0, answer.output + answer.errors
    return answer.json()


async def test_new_epochs_begin_and_all_that_is_accepted_afterwards_lands(tmp_path: Path) -> None:
    data = tmp_path / "stack"
    rows = clicks(CUSTOMERS, BEFORE, seed=61)
    later = [replace(row, customer_id=f"later-{row.customer_id}") for row in clicks(CUSTOMERS, AFTER, seed=67, days=60)]
    async with watched(data) as installation, clickhouse(installation) as client:
        kafka_url = installation.endpoints.kafka_url
        before = await epochs(kafka_url)
        assert set(before) == {topic.name for topic in ALL}
        load = Load(installation.endpoints)
        sending = asyncio.create_task(load.send(rows))
        await load.reaches(BEFORE // 3)
        kept = await landed_ids(client)
        lose_disk(installation, data)
        lost_at = time.monotonic()
        after = await until_new(kafka_url, before)
        assert all(after[topic] > before[topic] for topic in before)
        await sending
        assert load.refused > 0
        await load.send(later)
        await wait_until_landed(kafka_url, client, timeout=120)

        there = await landed_ids(client)
        assert kept and kept <= there
        assert {event_id for event_id, began in load.accepted.items() if began > lost_at} <= there
        audit = await audited(data)
        gone = [line for line in audit["partitions"] if line["epoch"] == before[line["topic"]]]
        assert sum(line["lost"] for line in gone if line["topic"] == "touchpoints") >= len(kept)
        assert all(line["difference"] == 0 for line in audit["partitions"])
        assert any(f"epoch {before['touchpoints']} is gone from Kafka" in note for note in audit["notes"])
        for table, gap in (("visits", VISIT_GAP), ("journeys", JOURNEY_GAP)):
            assert [span for span in await seen(data, table) if span.customer_id.startswith("later-")] == spans(
                later, gap
            )
