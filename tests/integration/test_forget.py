"""A person is forgotten in a whole installation, and looked for byte by byte wherever something is kept."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from pipeline.topics import ALL, COMPACTED, partition_counts
from schemas.codec import Encoder
from sinks.clickhouse import Client, connect
from tests.command import touchline
from tests.reference import touchpoint

SENDS = "mia-7731"
DEVICE = "phone-of-mia-7731"
STAYS = "noa-5512"
NEEDLES = (SENDS.encode(), DEVICE.encode())


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("stack")
    async with Installation(Settings(collector_port=0, collector_private_port=0), folder) as running:
        yield running


@pytest.fixture(scope="module")
async def client(installation: Installation) -> AsyncIterator[Client]:
    known = installation.endpoints
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        yield client


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


async def audited(installation: Installation) -> dict[str, Any]:
    answer = await touchline("audit", "--deep", "--json", "--data", str(installation.endpoints.data))
    found: dict[str, Any] = answer.json()
    assert (answer.status, found["ok"], found["notes"]) == (0, True, []), answer.output + answer.errors
    return found


async def command(installation: Installation, *words: str) -> dict[str, Any]:
    answer = await touchline(*words, "--data", str(installation.endpoints.data), "--json")
    assert answer.status == 0, answer.output + answer.errors
    assert not any(needle.decode() in answer.output + answer.errors for needle in NEEDLES)
    found: dict[str, Any] = answer.json()
    return found


async def test_a_forgotten_customer_is_found_nowhere(installation: Installation, client: Client) -> None:
    data = installation.endpoints.data
    for customer, device in ((SENDS, DEVICE), (STAYS, "tablet-of-noa")):
        answered = await send(installation, *life(customer, device), event(customer, 5, touchpoint="no_such"))
        assert (answered["accepted"], len(answered["rejected"])) == (10, 1)
        await poison(installation, customer)
    await settled(installation, client)
    linked = await touchline("identities", "link", "tablet-in-store", SENDS, "--data", str(data))
    assert linked.status == 0, linked.errors
    found = await in_clickhouse(client, NEEDLES)
    held = {"touchpoints_log", "journeys_log", "visits_log", "customers_log", "risk_log", "alerts_log", "late_log"}
    assert set(found) == {*held, "rejected_log", "identity_corrections_log"}
    others = await rows_of(client, STAYS)
    assert all(others.values())

    looked = await command(installation, "forget", f"anon:{DEVICE}", "--dry-run")
    assert (looked["keys"], looked["rows"]["touchpoints_log"], looked["rows"]["rejected_log"]) == (3, 10, 2)
    assert await in_clickhouse(client, NEEDLES) == found

    done = await command(installation, "forget", SENDS, "--yes")
    assert (done["ok"], done["keys"], done["rows"]) == (True, 3, looked["rows"])
    assert set(done["states"].values()) == {0}
    assert set(done["kept_until"]) == {topic.name for topic in ALL} - {"forgotten"}
    assert await in_clickhouse(client, NEEDLES) == {}
    assert await in_compacted_topics(installation, NEEDLES) == []
    assert in_logs(data, NEEDLES) == []
    assert await rows_of(client, STAYS) == others

    audit = await audited(installation)
    forgotten = [line for line in audit["partitions"] if line["topic"] == "touchpoints"]
    assert sum(line["forgotten"] for line in forgotten) == 10
    assert sum(line["dead_letters"] for line in forgotten) == 2

    again = await command(installation, "forget", SENDS, "--yes")
    assert not any(again["rows"].values())


async def test_without_the_request_a_later_event_begins_a_new_customer(
    installation: Installation, client: Client
) -> None:
    customer = f"lea-{uuid.uuid4()}"
    await send(installation, event(customer, 60), event(customer, 50))
    await settled(installation, client)
    await command(installation, "forget", customer, "--yes")
    answered = await send(installation, event(customer, 1))
    assert answered["accepted"] == 1
    await settled(installation, client)
    assert await client.query(
        "SELECT touchpoints, journeys FROM customers WHERE customer_id = {id:String}", {"id": customer}
    ) == [(1, 1)]
    await audited(installation)


async def test_on_request_later_events_are_refused_and_nothing_of_them_is_kept(
    installation: Installation, client: Client
) -> None:
    customer = f"kim-{uuid.uuid4()}"
    await send(installation, event(customer, 60))
    await settled(installation, client)
    await command(installation, "forget", customer, "--refuse-later", "--yes")
    async with asyncio.timeout(20):
        while (answered := await send(installation, event(customer, 1)))["rejected"] == []:
            await asyncio.sleep(0.1)
    assert [error["code"] for error in answered["rejected"][0]["errors"]] == ["forgotten"]
    answered = await send(installation, event(customer, 1, channel="no such"))
    assert [error["code"] for error in answered["rejected"][0]["errors"]] == ["forgotten"]

    producer = AIOKafkaProducer(bootstrap_servers=installation.endpoints.kafka_url)
    await producer.start()
    try:  # past the edge, as a backfill that was under way does
        record = {**touchpoint(9), "customer_id": customer, "event_id": str(uuid.uuid4())}
        await producer.send_and_wait("touchpoints", Encoder("touchpoints")(record), customer.encode())
    finally:
        await producer.stop()
    await settled(installation, client)
    assert await in_clickhouse(client, (customer.encode(),)) == {}
    assert await in_compacted_topics(installation, (customer.encode(),)) == []
    kept = "SELECT DISTINCT original, event_id, message != '' FROM rejected WHERE code = 'forgotten'"
    assert await client.query(kept) == [("", None, True)]
    await audited(installation)


@pytest.mark.parametrize(("words", "says"), [(("forget", "x"), "--yes"), (("forget", "", "--yes"), "CUSTOMER")])
async def test_what_cannot_be_done_is_said_in_one_line(
    installation: Installation, words: tuple[str, ...], says: str
) -> None:
    answer = await touchline(*words, "--data", str(installation.endpoints.data))
    assert (answer.status, says in answer.errors, len(answer.errors.splitlines())) == (2, True, 1), answer.errors
