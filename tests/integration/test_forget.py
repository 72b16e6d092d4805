"""A person is forgotten in a whole installation, and looked for byte by byte wherever something is kept."""

from __future__ import annotations

import asyncio
import base64
import json
import stat
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from pipeline.export import export, held
from pipeline.forget import forget, look
from pipeline.identities import Correction, correct
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from pipeline.topics import ALL
from schemas.codec import Encoder
from sinks.clickhouse import Client, connect
from tests.command import touchline
from tests.integration.forget_world import (
    audited,
    event,
    in_clickhouse,
    in_compacted_topics,
    in_logs,
    life,
    poison,
    rows_of,
    send,
    settled,
    wanted,
)
from tests.reference import touchpoint

SENDS = "mia-7731"
DEVICE = "phone-of-mia-7731"
STAYS = "noa-5512"
DEVICE_KEY = f"anon:{DEVICE}"
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


async def command(installation: Installation, *words: str) -> dict[str, Any]:
    answer = await touchline(*words, "--data", str(installation.endpoints.data), "--json")
    assert answer.status == 0, answer.output + answer.errors
    assert not any(needle.decode() in answer.output + answer.errors for needle in NEEDLES)
    found: dict[str, Any] = answer.json()
    return found


def assert_complete(exported: dict[str, Any], rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """An export has every row under the customer's key, the anonymous ones, the links, the refusals and the states."""
    assert exported["keys"] == ["anon:" + DEVICE, "anon:tablet-in-store", SENDS]
    for view, of_customer in rows.items():
        assert len([row for row in exported[view] if row["customer_id"] == SENDS]) == len(of_customer)
    assert len([row for row in exported["touchpoints"] if row["customer_id"] == DEVICE_KEY]) == 2
    assert {(row["anonymous_id"], row["status"]) for row in exported["identities"]} == {
        (DEVICE, "active"),
        ("tablet-in-store", "active"),
    }
    assert {row["code"] for row in exported["rejected"]} == {"unknown_touchpoint", "body"}
    refused = {row["code"]: row for row in exported["rejected"]}
    assert refused["unknown_touchpoint"]["original_as"] == "text"
    assert json.loads(refused["unknown_touchpoint"]["original"])["customer_id"] == SENDS
    poisoned = refused["body"]["original"]
    raw = poisoned.encode() if refused["body"]["original_as"] == "text" else base64.b64decode(poisoned)
    assert SENDS.encode() in raw
    assert set(exported["states"]) == {SENDS, DEVICE_KEY}
    assert exported["states"][SENDS]["customer"]["profile"]["inbound"] == 7
    assert exported["states"][SENDS]["alerts"]["is_open"] is True


async def test_a_forgotten_customer_is_found_nowhere(
    installation: Installation, client: Client, tmp_path: Path
) -> None:
    data, kafka_url = installation.endpoints.data, installation.endpoints.kafka_url
    for customer, device in ((SENDS, DEVICE), (STAYS, "tablet-of-noa")):
        answered = await send(installation, *life(customer, device), event(customer, 5, touchpoint="no_such"))
        assert (answered["accepted"], len(answered["rejected"])) == (10, 1)
        await poison(installation, customer)
    await settled(installation, client)
    await correct(client, Correction("tablet-in-store", SENDS, linked=True))
    found = await in_clickhouse(client, NEEDLES)
    tables = {"touchpoints_log", "journeys_log", "visits_log", "customers_log", "risk_log", "alerts_log", "late_log"}
    assert set(found) == {*tables, "rejected_log", "identity_corrections_log"}
    others = await rows_of(client, STAYS)
    assert all(others.values())

    file = tmp_path / "mia.json"
    exported = await touchline("export", DEVICE_KEY, "--out", str(file), "--data", str(data))
    assert (exported.status, stat.S_IMODE(file.stat().st_mode)) == (0, 0o600), exported.errors
    held_by_us = json.loads(file.read_text())
    assert_complete(held_by_us, await rows_of(client, SENDS))
    assert STAYS not in file.read_text()

    looked = await look(kafka_url, client, wanted(installation, DEVICE_KEY))
    assert (looked.keys, looked.removed["touchpoints_log"], looked.removed["rejected_log"]) == (3, 10, 2)
    assert all(looked.states.values())
    assert await in_clickhouse(client, NEEDLES) == found

    done = await command(installation, "forget", SENDS, "--yes")
    assert (done["ok"], done["keys"], done["rows"]) == (True, 3, looked.removed)
    assert set(done["states"].values()) == {0}
    assert set(done["kept_until"]) == {topic.name for topic in ALL} - {"forgotten"}
    assert await in_clickhouse(client, NEEDLES) == {}
    assert await in_compacted_topics(installation, NEEDLES) == []
    assert in_logs(data, NEEDLES) == []
    assert await rows_of(client, STAYS) == others

    audit = await audited(installation, client)
    forgotten = [line for line in audit.partitions if line.topic == "touchpoints"]
    assert sum(line.forgotten for line in forgotten) == 10
    assert sum(line.dead_letters for line in forgotten) == 2

    assert not any(held(await export(kafka_url, client, wanted(installation, SENDS))).values())
    again = await forget(kafka_url, client, wanted(installation, SENDS))
    assert (again.ok, any(again.removed.values())) == (True, False)
    shown = await client.query("SELECT keys, refuse_later, removed['touchpoints_log'] FROM forgotten ORDER BY ALL")
    assert shown == [(1, False, 0), (3, False, 10)]


async def test_without_the_request_a_later_event_begins_a_new_customer(
    installation: Installation, client: Client
) -> None:
    customer = f"lea-{uuid.uuid4()}"
    await send(installation, event(customer, 60), event(customer, 50))
    await settled(installation, client)
    done = await forget(installation.endpoints.kafka_url, client, wanted(installation, customer))
    assert (done.ok, done.removed["touchpoints_log"]) == (True, 2)
    answered = await send(installation, event(customer, 1))
    assert answered["accepted"] == 1
    await settled(installation, client)
    assert await client.query(
        "SELECT touchpoints, journeys FROM customers WHERE customer_id = {id:String}", {"id": customer}
    ) == [(1, 1)]
    await audited(installation, client)


async def test_on_request_later_events_are_refused_and_nothing_of_them_is_kept(
    installation: Installation, client: Client
) -> None:
    customer = f"kim-{uuid.uuid4()}"
    await send(installation, event(customer, 60))
    await settled(installation, client)
    person = wanted(installation, customer, refuse_later=True)
    assert (await forget(installation.endpoints.kafka_url, client, person)).ok
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
    await audited(installation, client)


@pytest.mark.parametrize(("words", "says"), [(("forget", "x"), "--yes"), (("forget", "", "--yes"), "CUSTOMER")])
async def test_what_cannot_be_done_is_said_in_one_line(
    installation: Installation, words: tuple[str, ...], says: str
) -> None:
    answer = await touchline(*words, "--data", str(installation.endpoints.data))
    assert (answer.status, says in answer.errors, len(answer.errors.splitlines())) == (2, True, 1), answer.errors
