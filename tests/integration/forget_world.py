"""Lives to forget, and where to look for what might be left of them: everywhere, byte by byte."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.audit import Audit, audit
from pipeline.forget import Wanted
from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.local.password import forget_key_of
from pipeline.topics import COMPACTED, partition_counts
from schemas.codec import Encoder
from sinks.clickhouse import Client
from tests.reference import touchpoint


def event(customer: str | None, minutes_ago: float, **fields: Any) -> dict[str, Any]:
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    given = {"occurred_at": moment.isoformat(), "channel": "web", "touchpoint": "product_view", **fields}
    return given if customer is None else {"customer_id": customer, **given}


def complaint(customer: str, minutes_ago: float) -> dict[str, Any]:
    return event(customer, minutes_ago, channel="phone", touchpoint="complaint", outcome="unresolved", sentiment=-0.9)


def life(customer: str, device: str) -> list[dict[str, Any]]:
    """An unknown device that turns out to be the customer's, complaints that raise alerts, and one event too old."""
    return [
        event(None, 400, anonymous_id=device),
        event(None, 390, anonymous_id=device),
        event(customer, 380, anonymous_id=device, reference=f"order of {customer}"),
        *(complaint(customer, 200 - number) for number in range(6)),
        event(customer, 200 * 24 * 60),
    ]


async def send(installation: Installation, *events: dict[str, Any]) -> dict[str, Any]:
    extra = installation.endpoints.extra
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {extra['write_key']}"}) as http:
        answer = await http.post(extra["collector_url"] + "/v1/touchpoints", json=list(events))
    answered: dict[str, Any] = answer.json()
    return answered


async def poison(installation: Installation, customer: str) -> None:
    """A touchpoint whose body lacks its last byte, as only a broken producer writes it."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.endpoints.kafka_url)
    await producer.start()
    try:
        value = Encoder("touchpoints")({**touchpoint(1), "customer_id": customer})
        await producer.send_and_wait("touchpoints", value[:-1], customer.encode())
    finally:
        await producer.stop()


async def settled(installation: Installation, client: Client) -> None:
    await wait_until_landed(installation.endpoints.kafka_url, client, timeout=60, alerts=True)
    await wait_until_landed(installation.endpoints.kafka_url, client, timeout=60)


async def in_clickhouse(client: Client, needles: tuple[bytes, ...]) -> dict[str, int]:
    """By table, how many times one of the texts stands in any column of any row."""
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    found = {}
    for (table,) in await client.query(tables):
        body = await client.raw(f"SELECT * FROM {table}", fmt="RowBinary")
        if count := sum(body.count(needle) for needle in needles):
            found[table] = count
    mutations = await client.raw("SELECT command FROM system.mutations", fmt="RowBinary")
    assert not any(needle in mutations for needle in needles)
    return found


async def in_compacted_topics(installation: Installation, needles: tuple[bytes, ...]) -> list[str]:
    """The topics in which a text stands in the last record of a key, which is what compaction leaves."""
    kafka_url = installation.endpoints.kafka_url
    counts = await partition_counts(kafka_url, sorted(COMPACTED))
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    last: dict[tuple[str, bytes], bytes | None] = {}
    try:
        partitions = [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        async with asyncio.timeout(30):
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    last |= {(record.topic, record.key): record.value for record in batch}
    finally:
        await consumer.stop()
    assert last, "the compacted topics hold something of somebody"
    live = [(topic, key + value) for (topic, key), value in last.items() if value is not None]
    return [topic for topic, text in live if any(needle in text for needle in needles)]


def in_logs(data: Path, needles: tuple[bytes, ...]) -> list[str]:
    files = [file for file in data.rglob("*") if file.suffix in {".log", ".json"} and "kafka" not in file.parts[-3:]]
    logs = [file for file in files if file.is_file() and not file.name.startswith("0000")]
    assert any(file.name == "customers.log" for file in logs)
    return [file.name for file in logs if any(needle in file.read_bytes() for needle in needles)]


async def rows_of(client: Client, customer: str) -> dict[str, list[tuple[Any, ...]]]:
    views = ("touchpoints", "visits", "journeys", "customers", "risk", "alerts", "late_touchpoints")
    query = "SELECT * FROM {view:Identifier} WHERE customer_id = {id:String} ORDER BY ALL"
    return {view: await client.query(query, {"view": view, "id": customer}) for view in views}


def wanted(installation: Installation, customer: str, *, refuse_later: bool = False) -> Wanted:
    """The person, under the secret of the installation."""
    return Wanted(customer, refuse_later=refuse_later, secret=forget_key_of(installation.endpoints.data))


async def audited(installation: Installation, client: Client) -> Audit:
    """A deep audit, which finds nothing to say."""
    secret = forget_key_of(installation.endpoints.data)
    found = await audit(installation.endpoints.kafka_url, client, deep=True, forget_key=secret)
    assert (found.ok, found.notes) == (True, ()), found
    return found
