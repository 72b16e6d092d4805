"""From the HTTP answer to a touchpoint that raises an alert until its webhook has arrived, under a steady load."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.bench.report import percentile, tell
from tests.receiver import Receiver, plan_file, receiving

EVENTS_PER_S = 2_000
BATCH = 50
SECONDS = 60
PROBES_PER_S = 5
COMPLAINTS = 3


async def run() -> None:
    """Post at a fixed rate for a while; some customers complain until they are at risk."""
    with tempfile.TemporaryDirectory() as folder:
        async with receiving() as receiver:
            plan = Path(folder) / "alerts.toml"
            plan.write_text(plan_file(here=receiver.url))
            settings = Settings(collector_port=0, collector_private_port=0, alerts=plan)
            async with Installation(settings, Path(folder) / "data") as installation:
                extra = installation.endpoints.extra
                key = {"Authorization": f"Bearer {extra['write_key']}"}
                async with httpx.AsyncClient(headers=key, timeout=30) as http:
                    waits, seconds = await _load(http, extra["collector_url"] + "/v1/touchpoints", receiver)
    tell(
        "HTTP answer to delivered webhook",
        events_per_s=round(EVENTS_PER_S * SECONDS / seconds),
        seconds=seconds,
        probes=len(waits),
        p50_s=percentile(waits, 0.5),
        p95_s=percentile(waits, 0.95),
        p99_s=percentile(waits, 0.99),
        most_s=max(waits),
    )


async def _load(http: httpx.AsyncClient, url: str, receiver: Receiver) -> tuple[list[float], float]:
    """Batches at a fixed rate, some of which hold the complaints of somebody new; how long each alert took."""
    started = time.monotonic()
    posts: list[asyncio.Task[None]] = []
    probes: dict[str, float] = {}
    batches = EVENTS_PER_S * SECONDS // BATCH
    every = EVENTS_PER_S // BATCH // PROBES_PER_S
    for number in range(batches):
        await asyncio.sleep(max(0.0, started + number * BATCH / EVENTS_PER_S - time.monotonic()))
        events = [_event(f"c-{number}-{i}") for i in range(BATCH)]
        customer = None
        if number % every == 0:
            customer = str(uuid.uuid4())
            events[:COMPLAINTS] = [_complaint(customer, minute) for minute in range(COMPLAINTS)]
        posts.append(asyncio.create_task(_post(http, url, events, customer, probes)))
    await asyncio.gather(*posts)
    seconds = time.monotonic() - started
    return await _arrivals(receiver, probes), seconds


async def _post(
    http: httpx.AsyncClient, url: str, events: list[dict[str, object]], customer: str | None, probes: dict[str, float]
) -> None:
    (await http.post(url, json=events)).raise_for_status()
    if customer is not None:
        probes[customer] = asyncio.get_running_loop().time()


async def _arrivals(receiver: Receiver, probes: dict[str, float]) -> list[float]:
    """By customer, from the answer until their first webhook arrived."""
    async with asyncio.timeout(120):
        while len(first := _first(receiver)) < len(probes):
            await asyncio.sleep(0.1)
    return [max(0.0, first[customer] - answered) for customer, answered in probes.items()]


def _first(receiver: Receiver) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, moment in receiver.arrived.items():
        customer = receiver.processed[key]["data"]["customer_id"]
        found[customer] = min(moment, found.get(customer, moment))
    return found


def _event(customer: str) -> dict[str, object]:
    return {
        "customer_id": customer,
        "occurred_at": datetime.now(UTC).isoformat(),
        "channel": "web",
        "touchpoint": "page_view",
        "attributes": {"page": "/p/1"},
    }


def _complaint(customer: str, minute: int) -> dict[str, object]:
    return {
        "customer_id": customer,
        "occurred_at": (datetime.now(UTC) - timedelta(minutes=minute)).isoformat(),
        "channel": "phone",
        "touchpoint": "complaint",
        "outcome": "unresolved",
        "sentiment": -0.9,
    }
