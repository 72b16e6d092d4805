"""A flood before a Kafka that stands still: the collector answers 429 and 503, within bounds, and never 200."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.fault.straight import Watched
from tests.integration.collector_process import GOOD, KEY, broker, collector, held, suspend

pytestmark = pytest.mark.fault

AUTH = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
BODIES, EVENTS, EVENT_BYTES = 60, 60, 50_000
SMALL = 200
ATTEMPTS = 1_500
MOST_MB = 300
LOST = 0


class Sender:
    """Sends its body again and again, with the same event_ids, until it is answered 200."""

    def __init__(self, events: int, size: int) -> None:
        self.ids = [str(uuid.uuid4()) for _ in range(events)]
        note = {f"note-{number}": "x" * 1_000 for number in range(size // 1_000)}
        bodies = [{**GOOD, "event_id": each, "attributes": note} for each in self.ids]
        self.body = json.dumps(bodies).encode()
        self.accepted = False

    async def send(self, client: httpx.AsyncClient, answers: Counter[int]) -> None:
        try:
            answer = await client.post("/v1/touchpoints", content=self.body, headers=AUTH)
        except httpx.TransportError:  # answered 429 and closed, while the body was still on its way
            answers[LOST] += 1
            return
        answers[answer.status_code] += 1
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) > 0
        if answer.status_code == 200:
            assert answer.json() == {"accepted": len(self.ids), "rejected": []}
            self.accepted = True


async def test_a_flood_while_kafka_stands_still_is_refused_within_bounds(tmp_path: Path) -> None:
    senders = [Sender(EVENTS, EVENT_BYTES) for _ in range(BODIES)] + [Sender(1, 0) for _ in range(SMALL)]
    limits = httpx.Limits(max_connections=400)
    async with (
        broker(tmp_path / "kafka") as kafka,
        collector(kafka.url, tmp_path / "collector", ack_timeout_seconds="3", ready_after_seconds="2") as running,
        httpx.AsyncClient(base_url=running.url, timeout=120, limits=limits) as client,
    ):
        assert (await client.get("/readyz")).status_code == 200
        await senders.pop().send(client, Counter())
        answers: Counter[int] = Counter()
        async with Watched(running.child.pid) as memory:
            await suspend(kafka)
            flood = asyncio.create_task(pour(client, senders, answers))
            said = await until_not_ready(client)
            await flood
        print(f"{answers} {memory.start:.0f} MB before, {memory.peak:.0f} MB at the most; {said}")
        assert answers.keys() - {LOST} == {429, 503}
        assert "acknowledge" in said
        assert memory.peak < MOST_MB
        kafka.child.signal(signal.SIGCONT)
        await deliver(client, senders)
        assert (await client.get("/readyz")).status_code == 200
        ids = Counter(record["event_id"] for record in await held(kafka.url, "touchpoints"))
        assert {each for sender in senders for each in sender.ids} <= ids.keys()


async def pour(client: httpx.AsyncClient, senders: list[Sender], answers: Counter[int]) -> None:
    """All senders at once, again and again, until so many answers have come."""

    async def go_on(sender: Sender) -> None:
        while answers.total() < ATTEMPTS:
            await sender.send(client, answers)

    await asyncio.gather(*map(go_on, senders))


async def until_not_ready(client: httpx.AsyncClient) -> str:
    """What /readyz says once work has waited for Kafka too long."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.get("/readyz")
            if answer.status_code == 503 and "acknowledge" in (said := answer.json()["error"]["message"]):
                return str(said)
            await asyncio.sleep(0.1)


async def deliver(client: httpx.AsyncClient, senders: list[Sender]) -> None:
    """Send what is left until all is answered 200."""
    async with asyncio.timeout(120):
        while left := [sender for sender in senders if not sender.accepted]:
            await asyncio.gather(*(sender.send(client, Counter()) for sender in left[:8]))
