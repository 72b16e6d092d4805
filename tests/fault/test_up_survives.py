"""`touchline up` under load while its parts are killed: everything accepted is there, once, in the right journeys."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.emitter import Emitter
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans
from tests.command import start, touchline
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS = 6_000, 300


@asynccontextmanager
async def up(data: Path) -> AsyncIterator[dict[str, Any]]:
    process = await start(
        "up",
        "--data",
        str(data),
        "--json",
        TOUCHLINE_COLLECTOR_PORT="0",
        TOUCHLINE_COLLECTOR_PRIVATE_PORT="0",
        TOUCHLINE_SESSION_TIMEOUT_SECONDS="6",
    )
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0


async def emit(facts: dict[str, Any], rows: list[Click], struck: asyncio.Event) -> None:
    """Send the rows one by one; set `struck` a third of the way, so that what is killed dies under load."""
    async with Emitter(facts["collector_url"], facts["write_key"]) as emitter:
        for number, row in enumerate(rows):
            await emitter.emit(
                channel="web", touchpoint=row.touchpoint, customer_id=row.customer_id, occurred_at=row.occurred_at
            )
            if number == len(rows) // 3:
                struck.set()
            if number % 10 == 0:
                await asyncio.sleep(0.02)
        await emitter.flush()
    assert emitter.stats.accepted == len(rows)
    assert emitter.stats.undelivered == 0


@pytest.mark.parametrize("victim", ["kafka", "clickhouse", "collector", "customers", "landing"])
async def test_a_part_killed_under_load_costs_nothing(victim: str, tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=31, days=60)
    data = tmp_path / "stack"
    async with up(data) as facts:
        struck = asyncio.Event()
        sending = asyncio.create_task(emit(facts, rows, struck))
        await struck.wait()
        os.kill(facts["pids"][victim], signal.SIGKILL)
        await sending
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output + audit.errors
        await until_journeys(data, rows)
        assert await seen(data, "visits") == spans(rows, VISIT_GAP)


async def until_journeys(data: Path, rows: list[Click]) -> None:
    """The agent may still be behind when the audit of what it has written is clean."""
    expected = spans(rows, JOURNEY_GAP)
    async with asyncio.timeout(60):
        while await seen(data, "journeys") != expected:
            await asyncio.sleep(0.5)


async def test_nothing_is_left_running_after_the_owner_is_killed(tmp_path: Path) -> None:
    process = await start(
        "up", "--data", str(tmp_path), "--json", TOUCHLINE_COLLECTOR_PORT="0", TOUCHLINE_COLLECTOR_PRIVATE_PORT="0"
    )
    assert process.stdout is not None
    facts = json.loads(await process.stdout.readline())
    process.kill()
    await process.wait()
    async with asyncio.timeout(20):
        while any(alive(pid) for pid in facts["pids"].values() if pid):
            await asyncio.sleep(0.1)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
