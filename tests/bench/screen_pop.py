"""What the front desk waits for: GET /v1/customers/{customer_id}, over a connection that stays open."""

from __future__ import annotations

import os
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import connect
from tests.bench.report import percentile, tell

CUSTOMERS = 1_000
TOUCHPOINTS = 50
BATCH = 1_000
CALLS = 200
WARM_UP = 10
KINDS = (("web", "page_view"), ("phone", "complaint"), ("email", "open"), ("helpdesk", "ticket_opened"))


async def run() -> None:
    """Land a small company, then ask for customers at random, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(collector_port=0, collector_private_port=0)
        async with Installation(settings, Path(folder)) as installation:
            known = installation.endpoints
            await _fill(known.extra["collector_url"], known.extra["write_key"])
            async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
                await wait_until_landed(known.kafka_url, client, timeout=300)
            engine = known.pids["clickhouse"]
            headers = {"Authorization": f"Bearer {known.extra['read_key']}"}
            async with httpx.AsyncClient(base_url=known.extra["private_url"], headers=headers, timeout=60) as http:
                await _ask(http, WARM_UP)
                before = _cpu_seconds(engine)
                waits = await _ask(http, CALLS)
                cpu = _cpu_seconds(engine) - before
    tell(
        "GET /v1/customers/{customer_id}",
        customers=CUSTOMERS,
        touchpoints=CUSTOMERS * TOUCHPOINTS,
        calls=CALLS,
        p50_ms=percentile(waits, 0.5) * 1000,
        p95_ms=percentile(waits, 0.95) * 1000,
        engine_cpu_ms=cpu / CALLS * 1000,
        load_average=os.getloadavg()[0],
    )


async def _fill(url: str, write_key: str) -> None:
    rng = random.Random(1)
    now = datetime.now(UTC)
    headers = {"Authorization": f"Bearer {write_key}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as http:
        for first in range(0, CUSTOMERS * TOUCHPOINTS, BATCH):
            events = [_event(rng, now, number % CUSTOMERS) for number in range(first, first + BATCH)]
            answer = await http.post(url + "/v1/touchpoints", json=events)
            answer.raise_for_status()


def _event(rng: random.Random, now: datetime, customer: int) -> dict[str, Any]:
    channel, touchpoint = rng.choice(KINDS)
    at = now - timedelta(minutes=rng.randrange(60 * 24 * 60))
    known = {"customer_id": f"c-{customer}", "occurred_at": at.isoformat()}
    return {**known, "channel": channel, "touchpoint": touchpoint, "reference": f"r-{rng.randrange(5)}"}


async def _ask(http: httpx.AsyncClient, calls: int) -> list[float]:
    rng = random.Random(2)
    waits = []
    for _ in range(calls):
        began = time.perf_counter()
        answer = await http.get(f"/v1/customers/c-{rng.randrange(CUSTOMERS)}")
        waits.append(time.perf_counter() - began)
        answer.raise_for_status()
    return waits


def _cpu_seconds(pid: int) -> float:
    """What a process has used so far: a figure that a busy machine does not spoil."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
