"""ClickHouse stands still for a minute of load, big events among it: landing waits within bounds, and nothing else."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, clicks, spans
from tests.command import touchline
from tests.fault.straight import (
    Straight,
    Watched,
    is_alive,
    journeys_written,
    metrics_of,
    record_of,
    straight,
    until_applied,
    until_ready,
)
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

SECONDS, PER_SECOND = 60, 500
BIG_BYTES = 48_000
MOST_MB = 600


async def load(sender: Straight, rows: list, seconds: float) -> int:  # type: ignore[type-arg]
    """Send the rows evenly over the time, every second one big; how many bytes they had beside their fields."""
    rng, started, padding = random.Random(7), time.monotonic(), 0
    for number, row in enumerate(rows):
        big = {"page": "/", "note": rng.randbytes(BIG_BYTES // 2).hex()} if number % 2 else {"page": "/"}
        padding += BIG_BYTES if number % 2 else 0
        await sender.send(record_of(row, attributes=big))
        await asyncio.sleep(max(0.0, started + seconds * number / len(rows) - time.monotonic()))
    await sender.flush()
    return padding


async def test_landing_waits_within_bounds_and_journeys_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_READY_AFTER_SECONDS", "5")
    rows = clicks(customers=500, rows=SECONDS * PER_SECOND, seed=3, days=60)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        kafka_url, health = installation.endpoints.kafka_url, installation.endpoints.extra["health"]
        for role in ("customers", "landing"):
            await until_ready(health[role], lambda status, _: status == 200)
        async with straight(kafka_url) as sender, Watched(installation.role("landing").pid) as memory:
            clickhouse = installation.stack.child("clickhouse")
            clickhouse.signal(signal.SIGSTOP)
            sending = asyncio.create_task(load(sender, rows, SECONDS))
            await until_ready(
                health["landing"],
                lambda _, why: any("landing of journeys waits for ClickHouse" in each for each in why),
            )
            await until_ready(health["landing"], lambda _, why: any(each.startswith("lag: ") for each in why))
            padding = await sending
            assert padding > MOST_MB * 1_000_000
            await until_applied(kafka_url)
            assert await journeys_written(kafka_url) > 500
            await until_ready(health["customers"], lambda status, _: status == 200)
            assert await is_alive(health["landing"])
            held = await metrics_of(health["landing"])
            assert held['touchline_held_bytes{topic="touchpoints"}'] < 1.2 * settings.buffer_megabytes * 2**20
            assert sum(value for name, value in held.items() if name.startswith("touchline_lag_records")) > len(rows)
            clickhouse.signal(signal.SIGCONT)
            await until_ready(health["landing"], lambda status, _: status == 200, seconds=180)
        print(f"landing: {memory.start:.0f} MB before, {memory.peak:.0f} MB at the most, {padding / 1e6:.0f} MB sent")
        assert memory.peak < MOST_MB
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output
        assert await seen(data, "visits") == spans(rows, VISIT_GAP)
        assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)
