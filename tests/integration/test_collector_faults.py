"""The collector while Kafka is away, and while it is told to stop: never a 200 for what is not in Kafka."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.collector_process import GOOD, KEY, Broker, collector, held, suspend, until

AUTH = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def kafka(kafka: Broker) -> Iterator[Broker]:
    """The session's, which goes on afterwards whatever became of a test that suspends it."""
    yield kafka
    kafka.child.signal(signal.SIGCONT)


async def test_503_while_kafka_is_away_and_a_resend_counts_once(kafka: Broker, tmp_path: Path) -> None:
    customer = f"c-{uuid.uuid4()}"
    events = [{**GOOD, "customer_id": customer}] * 5 + [{**GOOD, "channel": "wbe"}]
    headers = {**AUTH, "Idempotency-Key": "once"}
    async with (
        collector(kafka.url, tmp_path / "collector", ack_timeout_seconds="1") as running,
        httpx.AsyncClient(base_url=running.url, headers=headers, timeout=30) as client,
    ):
        await suspend(kafka)
        answer = await client.post("/v1/touchpoints", json=events)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["error"]["code"] == "unavailable"
        not_ready = await client.get("/readyz")
        assert (not_ready.status_code, not_ready.json()["error"]["code"]) == (503, "unavailable")
        assert (await client.get("/healthz")).status_code == 200
        kafka.child.signal(signal.SIGCONT)
        while (answer := await client.post("/v1/touchpoints", json=events)).status_code == 503:
            pass
        assert (answer.status_code, answer.json()["accepted"]) == (200, 5)
        assert (await client.get("/readyz")).status_code == 200
    records = [each for each in await held(kafka.url, "touchpoints") if each["__key"] == customer]
    assert len({each["event_id"] for each in records}) == 5


async def test_starts_without_kafka(tmp_path: Path) -> None:
    async with (
        collector("127.0.0.1:1", tmp_path, ack_timeout_seconds="1") as running,
        httpx.AsyncClient(base_url=running.url, headers=AUTH, timeout=30) as client,
    ):
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.post("/v1/touchpoints", json=GOOD)).status_code == 503
        running.child.signal(signal.SIGTERM)
        assert await running.child.wait(20) == 0


async def test_sigterm_finishes_what_is_in_flight(kafka: Broker, tmp_path: Path) -> None:
    event = {**GOOD, "event_id": str(uuid.uuid4())}
    async with (
        collector(kafka.url, tmp_path / "collector", ack_timeout_seconds="20") as running,
        httpx.AsyncClient(base_url=running.url, headers=AUTH, timeout=30) as client,
    ):
        assert (await client.post("/v1/touchpoints", json=GOOD)).status_code == 200
        await suspend(kafka)
        in_flight = asyncio.create_task(client.post("/v1/touchpoints", json=event))
        await until_in_flight(running.private_url)
        running.child.signal(signal.SIGTERM)
        await until_refused(running.url)
        assert running.child.alive
        kafka.child.signal(signal.SIGCONT)
        assert (await in_flight).status_code == 200
        assert await running.child.wait(20) == 0
    assert event["event_id"] in {each["event_id"] for each in await held(kafka.url, "touchpoints")}


async def until_in_flight(private_url: str) -> None:
    """Wait until the collector serves a request."""
    async with httpx.AsyncClient() as client:
        text = ""
        while "touchline_requests_in_flight 1.0" not in text:
            text = (await client.get(f"{private_url}/metrics")).text


async def until_refused(url: str) -> None:
    """Wait until no new connection is taken."""
    refused = asyncio.Event()

    async def ask() -> None:
        while True:
            async with httpx.AsyncClient() as fresh:
                try:
                    await fresh.get(f"{url}/healthz")
                except httpx.TransportError:
                    refused.set()
                    return

    asking = asyncio.create_task(ask())
    await until(refused.is_set)
    await asking
