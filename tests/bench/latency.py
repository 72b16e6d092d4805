"""From the HTTP answer to being visible in ClickHouse, as a touchpoint and as a journey, under a steady load."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import Client, connect
from tests.bench.report import percentile, tell

EVENTS_PER_S = 1_000
BATCH = 20
SECONDS = 30
PROBES_PER_S = 5
_TOUCHPOINT = "SELECT count() FROM touchpoints_log WHERE customer_id = {customer:String}"
_JOURNEY = "SELECT count() FROM journeys_log WHERE customer_id = {customer:String}"


async def run() -> None:
    """Post at a fixed rate for a while; follow some of the customers until they can be seen."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(collector_port=0, collector_private_port=0)
        async with Installation(settings, Path(folder)) as installation:
            endpoints = installation.endpoints
            url = endpoints.extra["collector_url"] + "/v1/touchpoints"
            key = {"Authorization": f"Bearer {endpoints.extra['write_key']}"}
            client = await connect(endpoints.clickhouse_url, endpoints.clickhouse_user, endpoints.clickhouse_password)
            async with client, httpx.AsyncClient(headers=key, timeout=30) as http:
                waits = await _load(http, url, client)
    touchpoint, journey = [wait[0] for wait in waits], [wait[1] for wait in waits]
    tell(
        "HTTP answer to visible in ClickHouse",
        events_per_s=EVENTS_PER_S,
        probes=len(waits),
        touchpoint_p50_s=percentile(touchpoint, 0.5),
        touchpoint_p95_s=percentile(touchpoint, 0.95),
        journey_p50_s=percentile(journey, 0.5),
        journey_p95_s=percentile(journey, 0.95),
    )


async def _load(http: httpx.AsyncClient, url: str, client: Client) -> list[tuple[float, float]]:
    """Batches at a fixed rate; every so many, a customer nobody saw before is followed."""
    started = time.monotonic()
    probes: list[asyncio.Task[tuple[float, float]]] = []
    posts: list[asyncio.Task[None]] = []
    batches = EVENTS_PER_S * SECONDS // BATCH
    every = EVENTS_PER_S // BATCH // PROBES_PER_S
    for number in range(batches):
        await asyncio.sleep(max(0.0, started + number * BATCH / EVENTS_PER_S - time.monotonic()))
        if number % every == 0 and number > batches // 6:
            probes.append(asyncio.create_task(_probe(http, url, client)))
        else:
            posts.append(asyncio.create_task(_post(http, url, [_event(f"c-{number}-{i}") for i in range(BATCH)])))
    await asyncio.gather(*posts)
    return list(await asyncio.gather(*probes))


async def _probe(http: httpx.AsyncClient, url: str, client: Client) -> tuple[float, float]:
    customer = str(uuid.uuid4())
    await _post(http, url, [_event(customer)] + [_event(f"{customer}-{i}") for i in range(BATCH - 1)])
    answered = time.monotonic()
    touchpoint = await _until_seen(client, _TOUCHPOINT, customer) - answered
    return touchpoint, await _until_seen(client, _JOURNEY, customer) - answered


async def _until_seen(client: Client, sql: str, customer: str) -> float:
    while True:
        [(count,)] = await client.query(sql, {"customer": customer})
        if count:
            return time.monotonic()
        await asyncio.sleep(0.05)


async def _post(http: httpx.AsyncClient, url: str, events: list[dict[str, object]]) -> None:
    (await http.post(url, json=events)).raise_for_status()


def _event(customer: str) -> dict[str, object]:
    return {
        "customer_id": customer,
        "occurred_at": datetime.now(UTC).isoformat(),
        "channel": "web",
        "touchpoint": "page_view",
        "attributes": {"page": "/p/1"},
    }
