"""More than one customers worker: joining, leaving, and one that was only paused and thinks it still owns its part."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline import readiness
from pipeline.local.child import Child
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans, write_csv
from tests.command import start, touchline
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS = 120_000, 2_000


@asynccontextmanager
async def second_worker(installation: Installation, folder: Path) -> AsyncIterator[Child]:
    ready = folder / "second.json"
    environment = {**installation.environment, readiness.VARIABLE: str(ready)}
    command = [sys.executable, "-m", "pipeline.roles", "customers"]
    child = Child.start("second", command, folder / "second.log", environment)
    try:
        async with asyncio.timeout(60):
            while readiness.read(ready) is None:
                assert child.alive, child.tail(20)
                await asyncio.sleep(0.05)
        yield child
    finally:
        await child.stop()


async def check(data: Path, rows: list[Click]) -> None:
    audit = await touchline("audit", "--data", str(data), "--json", "--deep")
    assert audit.status == 0, audit.output
    assert await seen(data, "visits") == spans(rows, VISIT_GAP)
    assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)


async def test_a_second_worker_joins_and_leaves_under_load(tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=41)
    write_csv(tmp_path / "clicks.csv", rows)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0, session_timeout_seconds=6.0, chunk_records=1_000)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        backfill = await start("backfill", str(tmp_path / "clicks.csv"), "--data", str(data), "--json")
        async with second_worker(installation, tmp_path):
            pass
        async with second_worker(installation, tmp_path) as second:
            second.signal(signal.SIGKILL)
        output, errors = await backfill.communicate()
        assert backfill.returncode == 0, errors.decode()
        assert f'"landed": {ROWS}' in output.decode()
        await check(data, rows)


async def test_a_paused_owner_is_fenced(tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=43)
    write_csv(tmp_path / "clicks.csv", rows)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0, session_timeout_seconds=6.0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        first = installation.role("customers")
        backfill = await start("backfill", str(tmp_path / "clicks.csv"), "--data", str(data), "--json")
        await until_journeys_exist(data)
        first.signal(signal.SIGSTOP)
        async with second_worker(installation, tmp_path):
            first.signal(signal.SIGCONT)
            output, errors = await backfill.communicate()
            assert backfill.returncode == 0, errors.decode()
            assert f'"landed": {ROWS}' in output.decode()
            await check(data, rows)


async def until_journeys_exist(data: Path) -> None:
    async with asyncio.timeout(60):
        while not await seen(data, "journeys"):
            await asyncio.sleep(0.1)


async def test_sigterm_under_load_ends_within_ten_seconds_and_loses_nothing(tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=47)
    write_csv(tmp_path / "clicks.csv", rows)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0, session_timeout_seconds=6.0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        backfill = await start("backfill", str(tmp_path / "clicks.csv"), "--data", str(data), "--json")
        await until_journeys_exist(data)
        for role in ("customers", "landing"):
            installation.role(role).signal(signal.SIGTERM)
        for role in ("customers", "landing"):
            assert await installation.role(role).wait(10) == 0
            await installation.relaunch(role)
        output, errors = await backfill.communicate()
        assert backfill.returncode == 0, errors.decode()
        assert f'"landed": {ROWS}' in output.decode()
        await check(data, rows)
