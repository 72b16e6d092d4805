"""A rebuild while its workers and the command itself are killed: in the end the journeys are those of the plain way."""

from __future__ import annotations

import asyncio
import random
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans, write_csv
from tests.command import start, touchline
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS, KILLS = 40_000, 3_000, 4


async def test_a_rebuild_survives_kills_of_workers_and_of_itself(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    recent = [Click(f"user-{number:04d}", now - timedelta(hours=2), "search") for number in range(CUSTOMERS)]
    history = clicks(CUSTOMERS, ROWS, seed=83, days=300)
    history = [Click(row.customer_id, row.occurred_at - timedelta(days=120), row.touchpoint) for row in history]
    write_csv(tmp_path / "recent.csv", recent)
    write_csv(tmp_path / "history.csv", history)
    data = tmp_path / "stack"
    rng = random.Random(11)
    settings = Settings(collector_port=0, collector_private_port=0, session_timeout_seconds=6.0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        first = await touchline("backfill", str(tmp_path / "recent.csv"), "--data", str(data), "--json")
        assert first.status == 0, first.errors
        second = await start("backfill", str(tmp_path / "history.csv"), "--data", str(data), "--json")
        await until_rebuilding(data)
        second.kill()
        await second.communicate()
        rebuilding = await start("rebuild", "--all", "--data", str(data), "--json")
        finished = asyncio.create_task(rebuilding.communicate())
        for turn in range(KILLS):
            role = ("customers", "landing")[turn % 2]
            await asyncio.wait({finished}, timeout=rng.uniform(0.5, 2.5))
            installation.role(role).signal(signal.SIGKILL)
            await installation.role(role).wait()
            await installation.relaunch(role)
        output, errors = await finished
        assert rebuilding.returncode == 0, output.decode() + errors.decode()
        assert await seen(data, "journeys") == spans([*recent, *history], JOURNEY_GAP)
        assert await seen(data, "visits") == spans([*recent, *history], VISIT_GAP)
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output


async def until_rebuilding(data: Path) -> None:
    """Wait until the first customers of the history have been taken over."""
    query = "SELECT count() FROM customers WHERE isNotNull(rebuilt)"
    async with asyncio.timeout(150):
        while (await touchline("sql", query, "--format", "TSV", "--data", str(data))).output.strip() in {"", "0"}:
            await asyncio.sleep(0.2)
