"""The audit on real Kafka and a real engine: it proves what is there, and it can fail."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.audit import Audit, Partition, audit
from pipeline.errors import UnavailableError
from pipeline.landed import wait_until_landed
from pipeline.local.stack import LocalStack
from pipeline.log_reader import Span, log_reader
from pipeline.settings import Settings
from pipeline.topics import CUSTOMERS_GROUP, Making, ensure, start_epoch
from schemas.block import bodies, container
from schemas.codec import Encoder
from schemas.contracts import latest
from sinks import ledger
from sinks.clickhouse import Client, connect
from sinks.ledger import Landed
from sinks.migrate import migrate
from tests.integration.sinks_samples import MAKE, Sample, rejected, touchpoint

PARTITIONS = 2


@dataclass
class World:
    """A stack of its own, and a lander of a few lines that does what it is told."""

    kafka_url: str
    client: Client
    epochs: dict[str, int]

    async def send(self, topic: str, samples: Sequence[Sample | bytes], partition: int = 0) -> None:
        """Send in one transaction, whose marker leaves a gap behind the records."""
        encode = Encoder(topic)
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka_url, transactional_id=f"test-{time.time_ns()}")
        await producer.start()
        try:
            async with producer.transaction():
                for number, sample in enumerate(samples):
                    value = sample if isinstance(sample, bytes) else encode(sample)
                    await producer.send(topic, value, str(number).encode(), partition)
        finally:
            await producer.stop()

    async def land(self, topic: str, skip: Sequence[int] = (), refused: Sequence[int] = ()) -> None:
        """Land everything from the marks on; `skip` is left out in silence, `refused` becomes dead letters."""
        marks = await ledger.marks(self.client, topic, self.epochs[topic])
        async with log_reader(self.kafka_url) as log:
            for tp, span in (await log.spans([topic])).items():
                first = max(span.first, marks.get(tp.partition, 0))
                records: list[Any] = []
                async for batch in log.records({tp: Span(first, span.end)}):
                    records += batch
                await self._land(tp, Span(first, span.end), records, skip, refused)

    async def _land(
        self, tp: TopicPartition, span: Span, records: list[Any], skip: Sequence[int], refused: Sequence[int]
    ) -> None:
        kept = [record for record in records if record.offset not in {*skip, *refused}]
        if kept:
            parts = bodies(self.epochs[tp.topic], tp.partition, kept)
            block = container(latest(tp.topic), len(kept), parts)
            await self.client.insert_avro(f"{tp.topic}_log", block, f"{tp}-{span}")
        out = sum(record.offset in refused for record in records)
        if records:
            entry = Landed(tp.topic, self.epochs[tp.topic], tp.partition, span.first, span.end, len(records) - out, out)
            await ledger.record(self.client, [entry])

    async def land_all(self) -> None:
        for topic in MAKE:
            await self.land(topic)

    async def audit(self, **options: Any) -> Audit:
        return await audit(self.kafka_url, self.client, **{"wait_seconds": 0.3, **options})


def of(result: Audit, topic: str, partition: int = 0) -> Partition:
    return next(line for line in result.partitions if (line.topic, line.partition) == (topic, partition))


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    async with LocalStack(tmp_path_factory.mktemp("stack")) as endpoints:
        yield endpoints


@pytest.fixture
async def world(stack: Any, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Topics made anew and an empty database."""
    await _drop_topics(stack.kafka_url)
    epochs = await ensure(stack.kafka_url, Making(PARTITIONS))
    name = "audit_" + str(abs(hash(request.node.name)))
    async with await connect(stack.clickhouse_url, stack.clickhouse_user, stack.clickhouse_password, name) as client:
        await migrate(client, Settings())
        yield World(stack.kafka_url, client, epochs)


async def _drop_topics(kafka_url: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        for topic in MAKE:
            with suppress(Exception):
                await admin.delete_topics([topic])
        while set(await admin.list_topics()) & set(MAKE):
            pass
    finally:
        await admin.close()


def touchpoints(count: int, first: int = 0) -> list[Sample]:
    return [touchpoint(number) for number in range(first, first + count)]


async def test_all_that_landed_is_accounted_for(world: World) -> None:
    for topic in MAKE:
        await world.send(topic, [MAKE[topic](number) for number in range(20)])
        await world.send(topic, [MAKE[topic](number) for number in range(20, 25)], partition=1)
    await world.land_all()
    for deep in (False, True):
        result = await world.audit(deep=deep)
        assert result.ok and result.notes == ()
        assert len(result.partitions) == len(MAKE) * PARTITIONS
        counts = {(line.topic, line.partition, line.records, line.landed) for line in result.partitions}
        assert counts == {(topic, *numbers) for topic in MAKE for numbers in ((0, 20, 20), (1, 5, 5))}
    line = result.to_json()["partitions"][0]
    assert list(line) == [
        *("topic", "partition", "epoch", "first_offset", "end_offset", "records", "landed", "dead_letters"),
        *("forgotten", "lost", "difference"),
    ]
    assert (line["first_offset"], line["end_offset"]) == (0, 21)


async def test_duplicates_are_no_difference_even_after_a_merge(world: World) -> None:
    await world.send("touchpoints", touchpoints(30))
    await world.land("touchpoints")
    await world.send("touchpoints", touchpoints(30))
    await world.land("touchpoints")
    await world.client.command("OPTIMIZE TABLE touchpoints_log FINAL")
    assert await world.client.query("SELECT count(), max(kafka_offset) FROM touchpoints_log") == [(30, 29)]
    for deep in (False, True):
        result = await world.audit(deep=deep)
        assert (result.ok, of(result, "touchpoints").landed) == (True, 60)


async def test_a_touchpoint_in_two_partitions_is_a_duplicate_too(world: World) -> None:
    """Written under a wrong Kafka key, and again under the right one: one row stands, the first by offset."""
    await world.send("touchpoints", touchpoints(3, first=50))
    await world.send("touchpoints", touchpoints(3), partition=0)
    await world.send("touchpoints", touchpoints(3), partition=1)
    await world.land("touchpoints")
    for deep in (False, True):
        result = await world.audit(deep=deep)
        assert result.ok, result.notes
    assert await world.client.query("SELECT count() FROM touchpoints") == [(6,)]


async def test_what_has_not_landed_is_a_difference(world: World) -> None:
    await world.send("risk", [MAKE["risk"](number) for number in range(3)])
    result = await world.audit()
    assert not result.ok
    assert (of(result, "risk").records, of(result, "risk").landed, of(result, "risk").difference) == (3, 0, 3)


@pytest.mark.parametrize("deep", [False, True])
async def test_a_row_that_the_ledger_vouches_for_and_nobody_can_see_is_found(world: World, deep: bool) -> None:
    await world.send("touchpoints", touchpoints(30))
    await world.land("touchpoints", skip=[7, 8])
    result = await world.audit(deep=deep)
    assert (of(result, "touchpoints").landed, of(result, "touchpoints").difference) == (28, 2)
    assert result.notes == ("touchpoints partition 0: 2 landed touchpoints have no row, the first at offset 7",)


async def test_a_later_duplicate_does_not_stand_in_for_the_first(world: World) -> None:
    """The row of the duplicate is there, but the first in the log should have won."""
    await world.send("touchpoints", [*touchpoints(5), *touchpoints(5)])
    await world.land("touchpoints", skip=[2])
    result = await world.audit()
    assert of(result, "touchpoints").difference == 1


async def test_a_row_that_differs_from_the_log_is_found_by_looking_deep(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.land("touchpoints", skip=[4])
    other = Encoder("touchpoints")(touchpoint(99))
    value = type("Value", (), {"offset": 4, "value": other})
    block = container(latest("touchpoints"), 1, bodies(world.epochs["touchpoints"], 0, [value]))
    await world.client.insert_avro("touchpoints_log", block, "other")
    assert (await world.audit()).ok
    result = await world.audit(deep=True)
    assert result.notes == ("touchpoints partition 0: 1 rows differ from the log, the first at offset 4",)


async def test_a_row_without_a_record_is_found(world: World) -> None:
    await world.send("touchpoints", touchpoints(4))
    await world.send("touchpoints", touchpoints(4, first=4))
    await world.land("touchpoints")
    value = type("Value", (), {"offset": 4, "value": Encoder("touchpoints")(touchpoint(99))})
    block = container(latest("touchpoints"), 1, bodies(world.epochs["touchpoints"], 0, [value]))
    await world.client.insert_avro("touchpoints_log", block, "invented")
    result = await world.audit()
    assert result.notes == ("touchpoints partition 0: 1 rows have no record in the log, the first at offset 4",)
    assert not result.ok


async def test_refused_records_need_their_dead_letters(world: World) -> None:
    poison = Encoder("touchpoints")(touchpoint(1)) + b"xyz"
    await world.send("touchpoints", [touchpoint(0), poison, touchpoint(2)])
    await world.land("touchpoints", refused=[1])
    result = await world.audit()
    assert (of(result, "touchpoints").difference, of(result, "touchpoints").dead_letters) == (1, 0)
    letter = rejected(1, epoch=world.epochs["touchpoints"], partition=0, offset=1)
    await world.send("rejected", [letter])
    await world.land("rejected")
    result = await world.audit(deep=True)
    assert result.ok
    assert (of(result, "touchpoints").landed, of(result, "touchpoints").dead_letters) == (2, 1)


async def test_a_range_landed_by_two_workers_counts_once(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.land("touchpoints")
    epoch = world.epochs["touchpoints"]
    again = [Landed("touchpoints", epoch, 0, 0, 11, 10, 0), Landed("touchpoints", epoch, 0, 3, 6, 3, 0)]
    await ledger.record(world.client, again)
    result = await world.audit()
    assert (result.ok, of(result, "touchpoints").landed) == (True, 10)


async def test_an_epoch_that_is_gone_and_marks_beyond_the_end_are_named(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.land("touchpoints")
    old = world.epochs["touchpoints"]
    await ledger.record(world.client, [Landed("risk", world.epochs["risk"], 0, 0, 500, 500, 0)])
    world.epochs["touchpoints"] = await start_epoch(world.kafka_url, "touchpoints")
    await world.land("touchpoints")
    result = await world.audit()
    gone = next(line for line in result.partitions if line.epoch == old and line.topic == "touchpoints")
    assert (gone.lost, gone.landed, gone.difference) == (10, 10, 0)
    assert of(result, "risk").lost == 500
    assert any(f"epoch {old} is gone" in note for note in result.notes)
    assert any("beyond the log's end" in note for note in result.notes)
    assert result.ok


async def test_aborted_and_deleted_records_are_not_missed(world: World) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=world.kafka_url, transactional_id="aborting")
    await producer.start()
    with suppress(ZeroDivisionError):
        async with producer.transaction():
            await producer.send_and_wait("journeys", Encoder("journeys")(MAKE["journeys"](1)), partition=0)
            raise ZeroDivisionError
    async with producer.transaction():
        await producer.send("customers", value=None, key=b"gone", partition=0)
    await producer.stop()
    await world.send("journeys", [MAKE["journeys"](2)])
    await world.land_all()
    result = await world.audit()
    assert result.ok
    assert (of(result, "journeys").records, of(result, "journeys").end_offset) == (1, 4)
    assert of(result, "customers").records == 0


async def test_waiting_ends_when_all_is_applied_and_landed(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    with pytest.raises(UnavailableError, match=r"applied by the customers worker.*touchpoints partition 0"):
        await wait_until_landed(world.kafka_url, world.client, timeout=0.2)
    await _commit(world.kafka_url, CUSTOMERS_GROUP, TopicPartition("touchpoints", 0), 10)
    with pytest.raises(UnavailableError, match=r"not all was landed.*touchpoints partition 0 stands at 0 of 11"):
        await wait_until_landed(world.kafka_url, world.client, timeout=0.2)
    await world.land("touchpoints")
    told: list[tuple[str, int, int]] = []
    await wait_until_landed(world.kafka_url, world.client, timeout=5, progress=lambda *step: told.append(step))
    assert ("applied by the customers worker", 11, 11) in told
    assert told[-1] == ("landed", 11, 11)


async def _commit(kafka_url: str, group: str, tp: TopicPartition, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_url, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([tp])
    await consumer.commit({tp: offset})
    await consumer.stop()
