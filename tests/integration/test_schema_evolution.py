"""Old and new emitters at once on real Kafka and a real engine, with workers that stay the processes they were."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from pipeline.emitter import Emitter
from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.local.registry import SchemaRegistry
from pipeline.settings import Settings
from schemas.contracts import Avro
from schemas.framing import header
from sinks.clickhouse import Client, connect
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans
from tests.command import touchline
from tests.evolution import MOOD, Writer, add_version, copy_of_schemas, evolved, without
from tests.integration.test_backfill_journeys import seen
from tests.reference import touchpoint

ROWS, CUSTOMERS = 6_000, 60
WORKERS = ("customers", "landing")


@dataclass
class World:
    """An installation whose processes use a registry."""

    installation: Installation
    registry: SchemaRegistry
    client: Client
    data: Path

    @property
    def pids(self) -> list[int]:
        children = [self.installation.role(name) for name in WORKERS]
        assert all(child.alive for child in children), [child.tail(20) for child in children]
        return [child.pid for child in children]

    async def register(self, schema: Avro, subject: str = "touchpoints-value") -> int:
        """Register as another program would, over HTTP."""
        async with httpx.AsyncClient() as client:
            url = f"{self.registry.url}/subjects/{subject}/versions"
            answer = await client.post(url, json={"schema": json.dumps(schema)})
        return int(answer.raise_for_status().json()["id"])

    async def post(self, rows: Sequence[Click]) -> None:
        """Emit through the collector, whose version is the older one."""
        extra = self.installation.endpoints.extra
        async with Emitter(extra["collector_url"], extra["write_key"]) as emitter:
            for row in rows:
                await emitter.emit(
                    channel="web",
                    touchpoint=row.touchpoint,
                    customer_id=row.customer_id,
                    occurred_at=row.occurred_at,
                    reference="old",
                )

    async def produce(self, values: Sequence[tuple[str, bytes]]) -> None:
        """Write framed values straight to Kafka, each under its customer's key."""
        producer = AIOKafkaProducer(bootstrap_servers=self.installation.endpoints.kafka_url, linger_ms=5)
        await producer.start()
        try:
            sent = [await producer.send("touchpoints", value, customer.encode()) for customer, value in values]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def landed(self) -> None:
        await wait_until_landed(self.installation.endpoints.kafka_url, self.client, timeout=90)

    async def one(self, query: str) -> Any:
        [(value,)] = await self.client.query(query)
        return value

    async def check(self) -> None:
        audit = await touchline("audit", "--deep", "--json", "--data", str(self.data))
        assert audit.status == 0, audit.output + audit.errors

    async def until_log(self, role: str, words: str, times: int) -> None:
        """Wait until a role has said something more than `times` times."""
        log = self.installation.role(role).log
        async with asyncio.timeout(60):
            while log.read_text().count(words) <= times:
                await asyncio.sleep(0.05)

    def said(self, role: str, words: str) -> int:
        return self.installation.role(role).log.read_text().count(words)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    data = tmp_path_factory.mktemp("stack")
    settings = Settings(collector_port=0, collector_private_port=0)
    async with SchemaRegistry() as registry:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TOUCHLINE_SCHEMA_REGISTRY_URL", registry.url)
            async with Installation(settings, data) as installation:
                ends = installation.endpoints
                user, password = ends.clickhouse_user, ends.clickhouse_password
                async with await connect(ends.clickhouse_url, user, password) as client:
                    yield World(installation, registry, client, data)


def contacts(write: Writer, rows: Sequence[Click], **more: object) -> list[tuple[str, bytes]]:
    """What a newer emitter makes of clicks."""
    found = []
    for row in rows:
        record = touchpoint(0, round(row.occurred_at.timestamp() * 1000), f"web.{row.touchpoint}")
        received = record["occurred_at"] + 1_000
        own = {"event_id": str(uuid.uuid4()), "customer_id": row.customer_id, "received_at": received}
        found.append((row.customer_id, write({**record, **own, "reference": "new", **more})))
    return found


def few(customer: str, count: int = 5) -> list[Click]:
    return [Click(customer, row.occurred_at, row.touchpoint) for row in clicks(1, count, seed=3, days=30)]


async def refusals(world: World, customer: str) -> list[tuple[str, str]]:
    """Code and message of the dead letters whose original names the customer."""
    query = "SELECT code, message FROM rejected WHERE position(original, {customer:String}) > 0 ORDER BY message"
    return [(code, message) for code, message in await world.client.query(query, {"customer": customer})]


async def test_an_old_and_a_new_emitter_at_once(world: World) -> None:
    before = world.pids
    rows = clicks(CUSTOMERS, ROWS, seed=7, days=60)
    newer = await world.register(evolved())
    write = Writer(evolved(), newer)
    halves = rows[: ROWS // 2], rows[ROWS // 2 :]
    await asyncio.gather(world.post(halves[0]), world.produce(contacts(write, halves[1], mood="grim")))
    await world.landed()
    counts = dict(await world.client.query("SELECT reference, count() FROM touchpoints GROUP BY reference"))
    assert counts == {"old": ROWS // 2, "new": ROWS // 2}
    assert await seen(world.data, "visits") == spans(rows, VISIT_GAP)
    assert await seen(world.data, "journeys") == spans(rows, JOURNEY_GAP)
    assert await world.one("SELECT sum(touchpoints) FROM customers") == ROWS
    assert await world.one("SELECT count() FROM rejected") == 0
    assert world.pids == before
    assert world.registry.asked[f"GET /schemas/ids/{newer}"] == len(WORKERS)
    await world.check()


async def test_what_the_registry_does_not_have_or_nobody_can_read_is_refused_alone(world: World) -> None:
    before = world.pids
    other = without("channel")
    unreadable = await world.register(other, "elsewhere-value")
    record = {**touchpoint(1), "customer_id": "nobody"}
    values = [
        ("nobody", Writer(other, unreadable)(record)),
        ("nobody", Writer(evolved(), 4_711)(record)),
        ("nobody", header(world.registry.store.version("journeys-value", "1")["id"]) + b"nobody"),
    ]
    good = Writer(evolved(), await world.register(evolved()))
    await world.produce([*values, *contacts(good, few("somebody"))])
    await world.landed()
    assert await world.one("SELECT count() FROM touchpoints WHERE customer_id = 'somebody'") == 5
    found = await refusals(world, "nobody")
    assert {code for code, _ in found} == {"schema_id"}
    assert sorted(message.split(": ", 1)[1] for _, message in found if ": " in message) == [
        "its schema cannot be read as touchpoints v1: channel is not written, and has no default",
        "its schema cannot be read as touchpoints v1: the whole is touchline.Journey, not touchline.Touchpoint",
    ]
    assert "schema id 4711 is not in the registry" in {message for _, message in found}
    assert len(found) == 3
    assert world.pids == before
    await world.check()


async def test_a_registry_out_of_reach_holds_the_partitions_and_refuses_nothing(world: World) -> None:
    before = world.pids
    schema = evolved(MOOD, {"name": "weather", "type": "string", "default": ""})
    write = Writer(schema, await world.register(schema))
    refused = await world.one("SELECT count() FROM rejected")
    marks = {role: world.said(role, "waits: the schema registry") for role in WORKERS}
    await world.registry.go_away()
    try:
        await world.produce(contacts(write, few("held"), mood="grim", weather="rain"))
        for role in WORKERS:
            await world.until_log(role, "waits: the schema registry", marks[role] + 2)
        await world.post(few("meanwhile"))
        assert await world.one("SELECT count() FROM touchpoints WHERE customer_id = 'held'") == 0
        assert await world.one("SELECT count() FROM rejected") == refused
    finally:
        await world.registry.come_back()
    await world.landed()
    for customer in ("held", "meanwhile"):
        assert await world.one(f"SELECT count() FROM touchpoints WHERE customer_id = '{customer}'") == 5
        assert await world.one(f"SELECT touchpoints FROM customers WHERE customer_id = '{customer}'") == 5
    assert await world.one("SELECT count() FROM rejected") == refused
    assert world.pids == before
    await world.check()


async def test_what_starts_while_the_registry_is_out_of_reach_waits_for_it(world: World) -> None:
    words = "not ready: the schema registry"
    mark = world.said("collector", words)
    await world.registry.go_away()
    starting = asyncio.create_task(world.installation.relaunch("collector"))
    try:
        await world.until_log("collector", words, mark)
        assert not starting.done()
    finally:
        await world.registry.come_back()
    await starting
    await world.post(few("patient"))
    await world.landed()
    assert await world.one("SELECT touchpoints FROM customers WHERE customer_id = 'patient'") == 5


async def test_an_upgraded_landing_lands_both_versions_as_they_are(world: World, tmp_path: Path) -> None:
    """The second version's own release: its column, its contract, its workers; the old emitter is still there."""
    folder = copy_of_schemas(tmp_path / "schemas")
    add_version(folder, evolved())
    await world.client.command("ALTER TABLE touchpoints_log ADD COLUMN mood Nullable(String)")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
        environment.setenv("PYTHONSAFEPATH", "1")
        await world.installation.relaunch("landing")
    write = Writer(evolved(), await world.register(evolved()))
    rows = clicks(3, 300, seed=9, days=20)
    mine = [Click(f"both-{row.customer_id}", row.occurred_at, row.touchpoint) for row in rows]
    await asyncio.gather(world.post(mine[:150]), world.produce(contacts(write, mine[150:], mood="grim")))
    await world.landed()
    query = "SELECT reference, mood, count() FROM touchpoints_log FINAL WHERE startsWith(customer_id, 'both-')"
    assert sorted(await world.client.query(f"{query} GROUP BY ALL")) == [("new", "grim", 150), ("old", None, 150)]
    await world.check()
