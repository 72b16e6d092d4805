"""The audit on real Kafka and a real engine: it proves what is there, and it can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from pipeline.audit import Audit, Partition
from pipeline.errors import UnavailableError
from pipeline.landed import wait_until_landed
from pipeline.local.stack import LocalStack
from pipeline.topics import start_epoch
from schemas.block import bodies, container
from schemas.codec import Encoder
from schemas.contracts import latest
from sinks import ledger
from sinks.ledger import Landed
from tests.integration.audit_world import PARTITIONS, World, commit, opened
from tests.integration.sinks_samples import MAKE, Sample, rejected, touchpoint


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    async with LocalStack(tmp_path_factory.mktemp("stack")) as endpoints:
        yield endpoints


@pytest.fixture
async def world(stack: Any, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with opened(stack, request.node.name) as world:
        yield world


def of(result: Audit, topic: str, partition: int = 0) -> Partition:
    return next(line for line in result.partitions if (line.topic, line.partition) == (topic, partition))


def touchpoints(count: int, first: int = 0) -> list[Sample]:
    return [touchpoint(number) for number in range(first, first + count)]


async def test_all_that_landed_is_accounted_for(world: World) -> None:
    for topic in MAKE:
        fields = {"touchpoints": 0} if topic == "customers" else {}  # nothing has been applied
        await world.send(topic, [MAKE[topic](number, **fields) for number in range(20)])
        await world.send(topic, [MAKE[topic](number, **fields) for number in range(20, 25)], partition=1)
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
    await commit(world.kafka_url, TopicPartition("touchpoints", 0), 10)
    with pytest.raises(UnavailableError, match=r"not all was landed.*touchpoints partition 0 stands at 0 of 11"):
        await wait_until_landed(world.kafka_url, world.client, timeout=0.2)
    await world.land("touchpoints")
    told: list[tuple[str, int, int]] = []
    await wait_until_landed(world.kafka_url, world.client, timeout=5, progress=lambda *step: told.append(step))
    assert ("applied by the customers worker", 11, 11) in told
    assert told[-1] == ("landed", 11, 11)
