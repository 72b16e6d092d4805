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

from pipeline.local.stack import running
from tests.command import start
from tests.fault.picture import Picture, assert_undisturbed
from tests.fault.sending import loaded
from tests.traffic import Traffic

pytestmark = pytest.mark.fault

PARTS = ("kafka", "clickhouse", "collector", "customers", "alerts", "landing")


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


def pid_of(data: Path, part: str) -> int:
    endpoints = running(data)
    assert endpoints is not None
    return int({**endpoints.pids, **endpoints.extra["roles"]}[part])


async def test_each_part_killed_under_load_comes_back_and_costs_nothing(
    company: Traffic, undisturbed: Picture, tmp_path: Path
) -> None:
    data = tmp_path / "stack"
    async with up(data) as facts:
        async with loaded(data, facts, company):
            for part in PARTS:
                killed = pid_of(data, part)
                os.kill(killed, signal.SIGKILL)
                async with asyncio.timeout(60):
                    while pid_of(data, part) == killed:
                        await asyncio.sleep(0.05)
        await assert_undisturbed(data, company, undisturbed)


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
