"""A real Kafka and a real collector process for tests, and what its topics hold."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from pipeline.local.broker import answers
from pipeline.local.child import Child
from pipeline.local.kafka import Kafka
from pipeline.local.server import free_port
from pipeline.log_reader import log_reader
from pipeline.topics import LANDED, Making, ensure, partition_counts
from schemas.codec import Decoder

KEY = "wk_test"
PARTITIONS = 2
DELETING = [topic.name for topic in LANDED if topic.cleanup == "delete"]
GOOD: dict[str, Any] = {
    "customer_id": "c-1",
    "occurred_at": "2026-03-01T12:00:00Z",
    "channel": "web",
    "touchpoint": "page_view",
}

TILLS = """
title = "Our tills"
about = "Sales in our shops"
documentation = "https://intranet.example/tills"
[request]
event = "body.kind"
id = "body.ticket"
[signature]
scheme = "write_key"
[[touchpoints]]
events = ["sale"]
channel = "in_store"
touchpoint = "purchase"
customer_id = "body.card"
occurred_at = "unix(body.at)"
"""
"""A mapping of webhooks whose senders show a write key."""


class Broker(NamedTuple):
    """A running Kafka with Touchline's topics."""

    url: str
    child: Child


class Running(NamedTuple):
    """A running collector."""

    url: str
    private_url: str
    child: Child


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "condition not met in time"
        await asyncio.sleep(0.02)


async def suspend(running: Broker) -> None:
    """Stop the broker with SIGSTOP and return when it no longer answers: the signal needs a moment to take effect."""
    running.child.signal(signal.SIGSTOP)
    while await answers(int(running.url.rsplit(":", 1)[1])):
        pass


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[Broker]:
    port = free_port()
    kafka = Kafka(folder, port, free_port())
    await kafka.prepare()
    child = Child.start("kafka", kafka.command(), kafka.log, kafka.environment())
    try:
        while not await kafka.ready():
            assert child.alive, child.tail(5)
            await asyncio.sleep(0.05)
        assert child.alive, child.tail(5)
        await ensure(f"127.0.0.1:{port}", Making(PARTITIONS))
        yield Broker(f"127.0.0.1:{port}", child)
    finally:
        await child.stop(grace=5)


async def forget_records(kafka_url: str) -> None:
    """Delete what the topics hold so far, as retention would: a reader from the beginning does not find it."""
    async with log_reader(kafka_url) as log:
        ends = {tp: span.end for tp, span in (await log.spans(DELETING)).items()}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        await admin.delete_records({tp: RecordsToDelete(before_offset=end) for tp, end in ends.items() if end})
    finally:
        await admin.close()


@asynccontextmanager
async def collector(kafka_url: str, folder: Path, **settings: str) -> AsyncIterator[Running]:
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    log = folder / f"collector-{time.monotonic_ns()}.log"
    environment = {
        "TOUCHLINE_KAFKA_URL": kafka_url,
        "TOUCHLINE_WRITE_KEYS": f"other,{KEY}",
        "TOUCHLINE_COLLECTOR_PORT": "0",
        "TOUCHLINE_COLLECTOR_PRIVATE_PORT": "0",
        **{f"TOUCHLINE_{name.upper()}": value for name, value in settings.items()},
    }
    child = Child.start("collector", [sys.executable, "-m", "pipeline.collector"], log, environment)
    try:
        await until(lambda: _announced(log) is not None or not child.alive)
        facts = _announced(log)
        assert facts is not None, child.tail(20)
        yield Running(facts["url"], facts["private_url"], child)
    finally:
        await child.stop(grace=20)


def _announced(log: Path) -> dict[str, str] | None:
    lines = [line for line in log.read_text().splitlines(keepends=True) if line.startswith('{"url"')]
    return json.loads(lines[0]) if lines and lines[0].endswith("\n") else None


async def held(kafka_url: str, topic: str) -> list[dict[str, Any]]:
    """Return every record of the topic, decoded, with its key as `__key`."""
    decode = Decoder(topic)
    count = (await partition_counts(kafka_url, [topic]))[topic]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_url, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(count)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[dict[str, Any]] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                for record in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
                    key = record.key.decode() if record.key else None
                    found.append({**decode(record.value), "__key": key, "__partition": record.partition})
        return found
    finally:
        await consumer.stop()
