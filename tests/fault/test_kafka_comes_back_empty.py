"""Kafka loses its disk under load and comes back empty at the same address."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from pipeline.landed import wait_until_landed
from pipeline.topics import ALL, epochs
from sinks.clickhouse import Client
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans
from tests.command import touchline
from tests.fault.installed import audited, clickhouse, landed_ids, lose, until_new, watched
from tests.fault.load import Load
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

BEFORE, AFTER, CUSTOMERS = 6_000, 4_000, 100


async def test_new_epochs_begin_and_all_that_is_accepted_afterwards_lands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector answers 503 a second after Kafka is gone, and takes events again once the topics are there."""
    monkeypatch.setenv("TOUCHLINE_ACK_TIMEOUT_SECONDS", "1")  # the roles inherit it
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
        while not (kept := await landed_ids(client)):
            await asyncio.sleep(0.1)
        lose(installation, data, "kafka")
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
        await journeys_come_back(data, client)


async def journeys_come_back(data: Path, client: Client) -> None:
    """Kafka took the states with it; a rebuild makes them of what ClickHouse kept, on both sides of the loss."""
    rebuilt = await touchline("rebuild", "--all", "--data", str(data), "--json")
    assert rebuilt.status == 0, rebuilt.errors
    landed = [
        Click(customer, moment.replace(tzinfo=UTC), touchpoint)
        for customer, moment, touchpoint in await client.query(
            "SELECT customer_id, occurred_at, touchpoint FROM touchpoints"
        )
    ]
    assert rebuilt.json()["touchpoints"] == len(landed)
    for table, gap in (("visits", VISIT_GAP), ("journeys", JOURNEY_GAP)):
        assert await seen(data, table) == spans(landed, gap)
