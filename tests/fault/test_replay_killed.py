"""SIGKILL in the middle of a replay: run again, each dead letter counts once, in the right journeys."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.attach import attach
from pipeline.backfill import backfill
from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import Client
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, clicks, spans, write_csv
from tests.command import start, touchline
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS, KILLS = 12_000, 300, 3


async def replays(client: Client) -> int:
    [(count,)] = await client.query("SELECT uniqExact(dead_letter_id) FROM replays_log")
    return int(count)


async def killed(data: Path, client: Client, above: int) -> None:
    """Start a replay and kill it as soon as more than so many letters are marked."""
    process = await start("rejected", "replay", "--data", str(data))
    async with asyncio.timeout(120):
        while await replays(client) <= above:
            assert process.returncode is None, "it ended before it could be killed"
            await asyncio.sleep(0.01)
    process.kill()
    await process.communicate()


async def test_a_killed_replay_is_completed_by_the_next_one(tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=61, days=60)
    file, data = tmp_path / "clicks.csv", tmp_path / "stack"
    write_csv(file, rows)
    behind = min(row.occurred_at for row in rows) - timedelta(days=2)
    settings = Settings(collector_port=0, collector_private_port=0)
    async with (
        Installation(settings, data, on_event=lambda _: None),
        attach(settings, data) as target,
        await target.clickhouse() as client,
    ):
        result = await backfill(file, target.kafka_url, now=int(behind.timestamp() * 1000))
        assert (result.accepted, result.rejected) == (0, ROWS)
        await wait_until_landed(target.kafka_url, client, timeout=120)
        for _ in range(KILLS):
            await killed(data, client, await replays(client))
        done = await replays(client)
        assert 0 < done < ROWS
        last = await touchline("rejected", "replay", "--data", str(data), "--json")
        assert last.status == 0, last.errors
        assert 0 < last.json()["sent"] <= ROWS - done
        assert await replays(client) == ROWS
        nothing = await touchline("rejected", "replay", "--data", str(data), "--json")
        assert (nothing.status, nothing.json()["selected"]) == (0, 0)
        assert await client.query("SELECT count() FROM touchpoints") == [(ROWS,)]
        assert await seen(data, "visits") == spans(rows, VISIT_GAP)
        assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output
