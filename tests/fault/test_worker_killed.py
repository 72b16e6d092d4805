"""SIGKILL of the workers during a backfill: the same journeys as if nothing had happened, and a clean audit."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, clicks, spans, write_csv
from tests.command import start, touchline
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS, KILLS = 120_000, 2_000, 5


@pytest.mark.parametrize("role", ["customers", "landing"])
async def test_a_killed_worker_loses_and_doubles_nothing(role: str, tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=23)
    file = tmp_path / "clicks.csv"
    write_csv(file, rows)
    rng = random.Random(5)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0, session_timeout_seconds=6.0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        backfill = await start("backfill", str(file), "--data", str(data), "--json")
        finished = asyncio.create_task(backfill.communicate())
        for _ in range(KILLS):
            await asyncio.wait({finished}, timeout=rng.uniform(0.3, 2.0))
            installation.role(role).signal(signal.SIGKILL)
            await installation.role(role).wait()
            await installation.relaunch(role)
        output, errors = await finished
        assert backfill.returncode == 0, errors.decode()
        assert f'"landed": {ROWS}' in output.decode()
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output
        assert await seen(data, "visits") == spans(rows, VISIT_GAP)
        assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)
