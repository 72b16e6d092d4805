"""Epochs and positions on a real Kafka: topics made anew, logs cut at either end, several roles at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import OffsetAndMetadata

from pipeline.epoch_log import EPOCHS, start_epoch
from pipeline.errors import AnotherLogError
from pipeline.marks import Check, Mark, check_of, to_metadata
from pipeline.positions import Marks, committed, settle, starts
from pipeline.topics import ALL, CHANGELOG, CUSTOMERS_GROUP, Making, ensure, epochs
from pipeline.watch import watch
from tests.integration.collector_process import Broker, broker, suspend

MAKING = Making(1)
NAMES = [topic.name for topic in ALL]


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    async with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
async def url(kafka: Broker) -> str:
    """A Kafka whose topics have just been made."""
    await drop(kafka.url, [*NAMES, EPOCHS])
    await ensure(kafka.url, MAKING)
    return kafka.url


async def drop(url: str, topics: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    try:
        await admin.delete_topics(topics)
        while set(await admin.list_topics()) & set(topics):
            pass
    finally:
        await admin.close()


async def fill(url: str, topic: str, count: int, tag: str, keys: int = 1_000_000) -> Mark:
    """Write records and return the mark of one who has read them all."""
    producer = AIOKafkaProducer(bootstrap_servers=url)
    await producer.start()
    try:
        for number in range(count):
            key, value = str(number % keys).encode(), f"{tag}-{number}".encode()
            last = await producer.send_and_wait(topic, value, key, partition=0)
    finally:
        await producer.stop()
    return Mark((await epochs(url))[topic], last.offset + 1, await check_at(url, topic, last.offset))


async def check_at(url: str, topic: str, offset: int) -> Check:
    consumer = AIOKafkaConsumer(bootstrap_servers=url, enable_auto_commit=False)
    await consumer.start()
    try:
        tp = TopicPartition(topic, 0)
        consumer.assign([tp])
        consumer.seek(tp, offset)
        return check_of(await consumer.getone(tp))
    finally:
        await consumer.stop()


async def settled(url: str, topic: str, mark: Mark) -> dict[str, int]:
    """The epochs after a start of a worker that has this mark."""

    async def marks(_: Mapping[str, int]) -> Marks:
        return {TopicPartition(topic, 0): mark}

    return await settle(url, await ensure(url, MAKING), marks)


async def start_of(url: str, topic: str, mark: Mark) -> int:
    tp = TopicPartition(topic, 0)
    return (await starts(url, await epochs(url), {tp: mark}, [tp]))[tp].position


async def test_roles_that_start_at_once_on_a_fresh_kafka_agree(kafka: Broker) -> None:
    await drop(kafka.url, [*NAMES, EPOCHS])
    first, *others = await asyncio.gather(*(ensure(kafka.url, MAKING) for _ in range(4)))
    assert set(first) == set(NAMES)
    assert all(other == first for other in [*others, await epochs(kafka.url), await ensure(kafka.url, MAKING)])


async def test_workers_that_notice_the_same_at_once_begin_one_epoch(url: str) -> None:
    before = await epochs(url)
    began = await asyncio.gather(*(start_epoch(url, "risk", after=before["risk"]) for _ in range(4)))
    assert len(set(began)) == 1
    assert await epochs(url) == {**before, "risk": began[0]}
    assert await start_epoch(url, "risk", after=before["risk"]) == began[0]
    assert await start_epoch(url, "risk", after=began[0]) > began[0]


async def test_new_epochs_are_above_what_clickhouse_remembers(url: str) -> None:
    known = await epochs(url)

    async def highest() -> int:
        return max(known.values()) + 40

    await drop(url, [*NAMES, EPOCHS])
    after = await ensure(url, MAKING, highest)
    assert all(after[topic] > known[topic] + 40 for topic in NAMES)


async def test_a_topic_made_anew_by_anybody_gets_an_epoch_and_the_others_keep_theirs(url: str) -> None:
    before = await ensure(url, MAKING)
    await drop(url, ["customers"])
    assert (await ensure(url, MAKING))["customers"] > before["customers"]
    again = await ensure(url, MAKING)
    assert {topic for topic in NAMES if again[topic] != before[topic]} == {"customers"}


async def test_the_same_log_is_gone_on_with(url: str) -> None:
    mark = await fill(url, "risk", 5, "a")
    before = await epochs(url)
    assert await settled(url, "risk", mark) == before
    await fill(url, "risk", 5, "b")
    assert await settled(url, "risk", mark) == before
    assert await start_of(url, "risk", mark) == 5


@pytest.mark.parametrize("count", [3, 5, 8])
async def test_a_log_made_anew_is_read_from_its_beginning(url: str, count: int) -> None:
    """Shorter, as long, and longer than what was read; with an epoch of its own, and behind our back."""
    mark = await fill(url, "risk", 5, "a")
    before = await epochs(url)
    await drop(url, ["risk"])
    await ensure(url, MAKING)
    await fill(url, "risk", count, "b")
    after = await settled(url, "risk", mark)
    assert after["risk"] > before["risk"]
    assert await start_of(url, "risk", mark) == 0

    cut = Mark(after["risk"], 5, mark.check)  # the same epoch, as after a loss that left the topic where it was
    with pytest.raises(AnotherLogError, match="risk-0"):
        await start_of(url, "risk", cut)
    assert (await settled(url, "risk", cut))["risk"] > after["risk"]
    assert await start_of(url, "risk", cut) == 0


async def test_an_epoch_that_only_the_mark_knows_is_left_behind(url: str) -> None:
    mark = await fill(url, "risk", 5, "a")
    unknown = Mark((mark.epoch or 0) + 100, 5, mark.check)
    with pytest.raises(AnotherLogError):
        await start_of(url, "risk", unknown)
    assert (await settled(url, "risk", unknown))["risk"] > (mark.epoch or 0) + 100


@pytest.mark.parametrize("before", [3, 5, 8])
async def test_what_retention_takes_begins_no_epoch(url: str, before: int) -> None:
    mark = await fill(url, "risk", 5, "a")
    await fill(url, "risk", 5, "b")
    known = await epochs(url)
    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    await admin.delete_records({TopicPartition("risk", 0): RecordsToDelete(before_offset=before)})
    await admin.close()
    assert await settled(url, "risk", mark) == known
    assert await start_of(url, "risk", mark) == max(5, before)


async def test_commits_carry_their_marks_and_lost_states_are_folded_anew(url: str) -> None:
    mark = await fill(url, "touchpoints", 5, "a")
    states = await fill(url, CHANGELOG, 3, "s")
    tp = TopicPartition("touchpoints", 0)
    whole = Mark(mark.epoch, 5, mark.check, states=(states.epoch, 3))
    consumer = AIOKafkaConsumer(bootstrap_servers=url, group_id=CUSTOMERS_GROUP, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([tp])
    await consumer.commit({tp: OffsetAndMetadata(5, to_metadata(whole))})
    await consumer.stop()
    found = await committed(url, CUSTOMERS_GROUP, [tp])
    assert found == {tp: whole}
    assert await start_of(url, "touchpoints", found[tp]) == 5
    await drop(url, [CHANGELOG])
    known = await ensure(url, MAKING)
    assert known["touchpoints"] == mark.epoch
    assert await start_of(url, "touchpoints", found[tp]) == 0


async def watching(url: str) -> asyncio.Task[None]:
    return asyncio.create_task(watch(url, await epochs(url)))


async def ends(watcher: asyncio.Task[None]) -> str:
    async with asyncio.timeout(60):
        with pytest.raises(AnotherLogError) as caught:
            await watcher
    return str(caught.value)


async def test_a_watch_ends_when_an_epoch_begins(url: str) -> None:
    watcher = await watching(url)
    await start_epoch(url, "touchpoints")
    assert "topic touchpoints has another epoch" in await ends(watcher)


async def test_a_watch_ends_when_a_topic_is_made_anew_or_gone(url: str) -> None:
    watcher = await watching(url)
    await drop(url, ["risk"])
    assert "topics are gone: risk" in await ends(watcher)
    await ensure(url, MAKING)
    watcher = await watching(url)
    await drop(url, ["alerts"])
    await ensure(url, MAKING)
    assert "alerts" in await ends(watcher)


async def test_a_watch_goes_on_while_kafka_is_away(url: str, kafka: Broker) -> None:
    watcher = await watching(url)
    await suspend(kafka)
    kafka.child.signal(signal.SIGCONT)
    assert await epochs(url)
    assert not watcher.done()
    watcher.cancel()
    with suppress(asyncio.CancelledError):
        await watcher
