"""What landing does with blocks that the real engine fails with or refuses, and when it stops a partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from agents.chunk import Chunk, size_of
from agents.flow import Flow
from agents.landing import Lander, Limits
from agents.metrics import Metrics
from agents.waits import Waits
from schemas.block import long
from schemas.codec import Decoder
from sinks import ledger
from sinks.clickhouse import Client, FailedInsertError
from tests.integration.sinks_samples import EPOCH, MAKE, Value, block, rejected, touchpoint, values


@dataclass
class World:
    """A lander of one topic, and what it gave to others."""

    topic: str
    client: Client
    flow: Flow = field(default_factory=lambda: Flow(1 << 30))
    waits: Waits = field(default_factory=Waits)
    metrics: Metrics = field(default_factory=lambda: Metrics("landed"))
    letters: list[dict[str, Any]] = field(default_factory=list)
    durable: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        decode = Decoder("rejected")

        async def keep(letters: Sequence[bytes]) -> None:
            self.letters += map(decode, letters)

        def note(topic: str, partition: int, position: int) -> None:
            self.durable[partition] = position

        limits = Limits(rows=50_000, bytes=1 << 30, linger_seconds=0.01)
        self.lander = Lander(
            self.topic,
            EPOCH,
            client=self.client,
            limits=limits,
            send_dead_letters=keep,
            durable=note,
            around=self,
        )
        self.flow.watch(self.topic)
        self.lander.begin({0: 0, 1: 0})

    def failed(self, error: BaseException | None) -> None:
        raise AssertionError(error)

    async def landed(self) -> set[tuple[int, int]]:
        return set(await self.client.query(f"SELECT kafka_partition, kafka_offset FROM {self.topic}_log"))

    def chunk(self, records: Sequence[Value], partition: int = 0) -> Chunk:
        made: list[ConsumerRecord[Any, Any]] = [
            ConsumerRecord(self.topic, partition, each.offset, 0, 0, None, each.value, None, 0, 0, ())
            for each in records
        ]
        first, last = records[0].offset, records[-1].offset
        return Chunk(self.topic, partition, first, last + 1, made, size_of(made))


@pytest.fixture
def client(emptied: Client) -> Client:
    return emptied


def lying(record: Value, length: int) -> Value:
    """The record with a channel that says to be so long: it reaches far into the records behind it."""
    at = record.body.index(b"web")
    return record.with_body(record.body[: at - 1] + long(length) + record.body[at:])


def big(count: int) -> list[Value]:
    attributes = {f"key-{number}": "y" * 900 for number in range(20)}
    return values("touchpoints", [touchpoint(number, attributes=attributes) for number in range(count)])


def limit_memory(client: Client, size: int) -> None:
    client._inner.set_client_setting("max_memory_usage", str(size))


async def test_a_length_that_lies_and_asks_for_all_memory_is_cut_out(client: Client) -> None:
    world = World("touchpoints", client)
    records = big(1_500)
    records[2] = lying(records[2], 25_000_000)
    limit_memory(client, 40_000_000)
    with pytest.raises(FailedInsertError, match="241"):
        await client.insert_avro("touchpoints_log", block("touchpoints", records), "alone")
    await world.lander.land([world.chunk(records)])
    assert await world.landed() == {(0, offset) for offset in range(1_500) if offset != 2}
    [letter] = world.letters
    assert (letter["code"], letter["offset"], letter["partition"]) == ("body", 2, 0)
    assert world.durable == {0: 1_500}
    assert [(e.rows, e.refused) for e in await ledger.ranges(client, "touchpoints")] == [(1_499, 1)]


async def test_a_good_block_for_which_the_memory_is_not_enough_lands_in_parts(client: Client) -> None:
    world = World("touchpoints", client)
    records = big(1_000)
    limit_memory(client, 40_000_000)
    with pytest.raises(FailedInsertError, match="241"):
        await client.insert_avro("touchpoints_log", block("touchpoints", records), "alone")
    await world.lander.land([world.chunk(records)])
    assert await world.landed() == {(0, offset) for offset in range(1_000)}
    assert world.letters == []


def garbage(topic: str, first: int, count: int) -> list[Value]:
    return [Value(offset, b"\x00\x00\x00\x00\x00not ours") for offset in range(first, first + count)]


def good(topic: str, first: int, count: int) -> list[Value]:
    return values(topic, [MAKE[topic](number) for number in range(first, first + count)], first)


async def test_a_partition_that_is_mostly_refused_is_stopped_and_no_other(client: Client) -> None:
    world = World("touchpoints", client)
    chunks = [
        world.chunk(good("touchpoints", 0, 100)),
        world.chunk(garbage("touchpoints", 100, 700)),
        world.chunk(good("touchpoints", 800, 50)),
        world.chunk([*good("touchpoints", 0, 600), *garbage("touchpoints", 600, 300)], partition=1),
    ]
    for chunk in chunks:
        world.flow.took(chunk)
        await world.lander.take(chunk)
    await world.lander.land(chunks)
    assert world.durable == {0: 100, 1: 900}
    assert await ledger.marks(client, "touchpoints", EPOCH) == {0: 100, 1: 900}
    assert {letter["partition"] for letter in world.letters} == {1}
    assert len(world.letters) == 300
    assert list(world.flow.stopped()) == [("touchpoints", 0)]
    assert not world.flow.may_read(("touchpoints", 0)) and world.flow.may_read(("touchpoints", 1))
    late = world.chunk(good("touchpoints", 850, 10))
    world.flow.took(late)
    await world.lander.take(late)
    assert world.flow.held_bytes() == {"touchpoints": 0}


async def test_a_partition_is_tried_again_when_it_is_assigned_anew(client: Client) -> None:
    world = World("touchpoints", client)
    await world.lander.land([world.chunk(garbage("touchpoints", 0, 600))])
    assert world.durable == {}
    world.flow.clear()
    world.lander.begin({0: 0})
    await world.lander.land([world.chunk(good("touchpoints", 0, 600))])
    assert world.durable == {0: 600}


async def test_garbage_in_topic_rejected_hides_no_dead_letter(client: Client) -> None:
    world = World("rejected", client)
    await world.lander.land([world.chunk([*garbage("rejected", 0, 2_000), *good("rejected", 2_000, 5)])])
    assert world.durable == {0: 2_005}
    assert world.letters == []  # they land in place of what they speak of: the topic does not grow
    assert await world.landed() == {(0, number) for number in range(2_005)}
    assert await client.query("SELECT count() FROM rejected WHERE topic = 'rejected' AND offset < 2000") == [(2_000,)]


async def test_dead_letters_of_ours_that_are_refused_do_not_breed_for_ever(client: Client) -> None:
    """They can be decoded, so the fault is ours; each would bring forth a dead letter that is refused likewise."""
    world = World("rejected", client)
    ours = values("rejected", [rejected(number, dead_letter_id="no id") for number in range(600)])
    await world.lander.land([world.chunk(ours)])
    assert world.durable == {}
    assert world.letters == []
    assert list(world.flow.stopped()) == [("rejected", 0)]
