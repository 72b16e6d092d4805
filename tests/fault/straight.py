"""Touchpoints put straight into Kafka, past the collector, and what a worker says of itself meanwhile."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from pipeline.landed import committed_positions
from pipeline.log_reader import log_reader
from pipeline.model import Record
from pipeline.topics import CUSTOMERS_GROUP, epochs
from schemas.codec import Encoder
from tests.clickstream import Click
from tests.reference import touchpoint

_encode = Encoder("touchpoints")


def record_of(click: Click, **fields: Any) -> Record:
    """A whole record of topic touchpoints, with an id of its own."""
    return {
        **touchpoint(0, int(click.occurred_at.timestamp() * 1000), f"web.{click.touchpoint}"),
        "event_id": str(uuid.uuid4()),
        "customer_id": click.customer_id,
        "received_at": int(time.time() * 1000),
        **fields,
    }


class Straight:
    """A producer that sends values as they are given."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._sent: list[asyncio.Future[Any]] = []

    async def send(self, record: Record) -> asyncio.Future[Any]:
        """Send a good record under its key; the future gives its partition and offset."""
        return await self.send_raw(record["customer_id"].encode(), _encode(record))

    async def send_raw(self, key: bytes | None, value: bytes, partition: int | None = None) -> asyncio.Future[Any]:
        """Send any bytes; the future gives the record's partition and offset."""
        future = await self._producer.send("touchpoints", value, key, partition)
        self._sent.append(future)
        return future

    async def flush(self) -> None:
        """Return when all is acknowledged."""
        await asyncio.gather(*self._sent)
        self._sent.clear()


@asynccontextmanager
async def straight(kafka_url: str) -> AsyncIterator[Straight]:
    """Open a producer that takes records up to the broker's own limit."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_url,
        acks="all",
        enable_idempotence=True,
        max_batch_size=512 * 1024,
        max_request_size=8 * 1024 * 1024,
        linger_ms=5,
    )
    await producer.start()
    try:
        yield Straight(producer)
    finally:
        await producer.stop()


async def readiness_of(url: str) -> tuple[int, list[str]]:
    """What /readyz of a worker answers: the status and its reasons."""
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.get(f"{url}/readyz")
    return answer.status_code, answer.json().get("reasons", [])


async def is_alive(url: str) -> bool:
    """Whether /healthz of a worker answers 200."""
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(f"{url}/healthz")).status_code == 200


async def metrics_of(url: str) -> Mapping[str, float]:
    """What /metrics of a worker shows, by name and labels as written."""
    async with httpx.AsyncClient(timeout=20) as client:
        text = (await client.get(f"{url}/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def until_ready(url: str, ready: Callable[[int, list[str]], bool], seconds: float = 60) -> list[str]:
    """Ask /readyz until the answer is as wanted; its reasons."""
    last: tuple[int, list[str]] = (0, [])
    try:
        async with asyncio.timeout(seconds):
            while not ready(*(last := await readiness_of(url))):
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        raise AssertionError(f"/readyz went on saying {last}") from error
    return last[1]


def rss_mb(pid: int) -> float:
    """A process's memory as it is now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


class Watched:
    """The most memory that a process took while a block ran, looked at five times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.start = self.peak = rss_mb(pid)

    async def __aenter__(self) -> Watched:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            self.peak = max(self.peak, rss_mb(self._pid))
            await asyncio.sleep(0.2)


async def until_applied(kafka_url: str, seconds: float = 60) -> None:
    """Wait until the customers agent has committed all the touchpoints there are."""
    epoch = (await epochs(kafka_url))["touchpoints"]
    async with asyncio.timeout(seconds), log_reader(kafka_url) as log:
        ends = {tp: span.end for tp, span in (await log.spans(["touchpoints"])).items()}
        positions = committed_positions(kafka_url, CUSTOMERS_GROUP, set(ends), epoch)
        reached = await positions.read()
        while not all(reached.get(tp, 0) >= end for tp, end in ends.items()):
            await asyncio.sleep(0.1)
            reached = await positions.read()


async def journeys_written(kafka_url: str) -> int:
    """How many positions topic journeys has."""
    async with log_reader(kafka_url) as log:
        return sum(span.end - span.first for span in (await log.spans(["journeys"])).values())
