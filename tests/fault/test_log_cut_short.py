"""A disk of Kafka's is lost with the log of touchpoints on it; the topic is still there, and fills again."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.topics import epochs
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans
from tests.fault.installed import SETTINGS, audited, clickhouse, landed_ids, lose, until_new, watched
from tests.fault.load import Load
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

BEFORE, CUSTOMERS = 3_000, 100
LOG = "kafka/logs/touchpoints-*"


async def check(installation: Installation, data: Path, load: Load, rows: list[Click], old: int) -> None:
    """Everything accepted is there, in exact journeys, since Kafka still has the states; the audit names the loss."""
    async with clickhouse(installation) as client:
        await wait_until_landed(installation.endpoints.kafka_url, client, timeout=120)
        assert await landed_ids(client) == set(load.accepted)
    assert await seen(data, "visits") == spans(rows, VISIT_GAP)
    assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)
    audit = await audited(data)
    lost = [line["lost"] for line in audit["partitions"] if (line["topic"], line["epoch"]) == ("touchpoints", old)]
    assert sum(lost) == BEFORE
    assert any(f"epoch {old} is gone from Kafka" in note for note in audit["notes"])


@pytest.mark.parametrize("after", [1_000, 6_000])
async def test_workers_that_were_down_begin_a_new_epoch(after: int, tmp_path: Path) -> None:
    """The log ends before the marks, or has grown past them."""
    data = tmp_path / "stack"
    rows = clicks(CUSTOMERS, BEFORE + after, seed=71, days=60)
    async with Installation(SETTINGS, data, on_event=lambda _: None) as installation:
        kafka_url = installation.endpoints.kafka_url
        before = await epochs(kafka_url)
        load = Load(installation.endpoints)
        await load.send(rows[:BEFORE])
        async with clickhouse(installation) as client:
            await wait_until_landed(kafka_url, client, timeout=120)
        for role in ("customers", "landing"):
            await installation.role(role).stop()
        lose(installation, data, LOG)
        await installation.stack.restart("kafka")
        await load.send(rows[BEFORE:])
        await asyncio.gather(*(installation.relaunch(role) for role in ("customers", "landing")))
        now = await epochs(kafka_url)
        assert now["touchpoints"] > before["touchpoints"]
        assert {topic for topic in before if now[topic] != before[topic]} == {"touchpoints"}
        await check(installation, data, load, rows, before["touchpoints"])


async def test_workers_that_are_running_end_and_begin_a_new_epoch(tmp_path: Path) -> None:
    data = tmp_path / "stack"
    rows = clicks(CUSTOMERS, 2 * BEFORE, seed=73, days=60)
    async with watched(data) as installation:
        kafka_url = installation.endpoints.kafka_url
        before = await epochs(kafka_url)
        load = Load(installation.endpoints)
        await load.send(rows[:BEFORE])
        async with clickhouse(installation) as client:
            await wait_until_landed(kafka_url, client, timeout=120)
        lose(installation, data, LOG)
        await load.send(rows[BEFORE:])
        await until_new(kafka_url, {"touchpoints": before["touchpoints"]})
        await check(installation, data, load, rows, before["touchpoints"])


async def test_workers_that_slept_through_it_skip_nothing(tmp_path: Path) -> None:
    """The log has grown past their positions before they fetch again."""
    data = tmp_path / "stack"
    rows = clicks(CUSTOMERS, 3 * BEFORE, seed=79, days=60)
    async with watched(data) as installation:
        kafka_url = installation.endpoints.kafka_url
        before = await epochs(kafka_url)
        load = Load(installation.endpoints)
        await load.send(rows[:BEFORE])
        async with clickhouse(installation) as client:
            await wait_until_landed(kafka_url, client, timeout=120)
        workers = [installation.role(role) for role in ("customers", "landing")]
        for worker in workers:
            worker.signal(signal.SIGSTOP)
        lose(installation, data, LOG)
        await load.send(rows[BEFORE:])
        for worker in workers:
            worker.signal(signal.SIGCONT)
        await until_new(kafka_url, {"touchpoints": before["touchpoints"]})
        await check(installation, data, load, rows, before["touchpoints"])
