"""Asks the logs which marks may be trusted, and so where reading starts (see pipeline/marks.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from pipeline.epoch_log import start_epoch
from pipeline.errors import AnotherLogError
from pipeline.marks import Check, Log, Mark, Start, Verdict, check_of, from_metadata, judge, states_are_whole
from pipeline.reachable import reachable, stop
from pipeline.topics import CHANGELOG, COMPACTED

Marks = Mapping[TopicPartition, Mark]
ReadMarks = Callable[[Mapping[str, int]], Awaitable[Marks]]
"""Asks for the marks, given the current epochs by topic."""

_POLL_MS = 100
_PARTITION_BYTES = 256 * 1024


async def committed(kafka_url: str, group: str, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Mark]:
    """Where a consumer group stands in these partitions, by its commits; without one, a partition is left out."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    try:
        async with reachable(kafka_url):
            await admin.start()
            offsets = await _commits(admin, group, partitions)
    finally:
        await admin.close()
    return {tp: from_metadata(meta.offset, meta.metadata) for tp, meta in offsets.items() if meta.offset >= 0}


async def _commits(
    admin: AIOKafkaAdminClient, group: str, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """Ask until the coordinator is ready; the client hides that it is not, and leaves partitions out of the answer."""
    while True:
        try:
            found: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(
                group, partitions=list(partitions)
            )
            if found.keys() >= set(partitions):
                return found
        except KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(_POLL_MS / 1000)


async def settle(kafka_url: str, epochs: Mapping[str, int], read_marks: ReadMarks) -> dict[str, int]:
    """Begin a new epoch for every topic whose log is not that of its marks; return the epochs then."""
    settled = dict(epochs)
    while True:
        marks = await read_marks(settled)
        verdicts = await _verdicts(kafka_url, settled, marks)
        strange = {tp.topic for tp, verdict in verdicts.items() if verdict is Verdict.ANOTHER_LOG}
        if not strange:
            return settled
        for topic in strange:
            highest = max(mark.epoch or 0 for tp, mark in marks.items() if tp.topic == topic)
            settled[topic] = await start_epoch(kafka_url, topic, after=settled[topic], above=highest)


async def starts(
    kafka_url: str,
    epochs: Mapping[str, int],
    marks: Marks,
    partitions: Iterable[TopicPartition],
    changelog: str = CHANGELOG,
) -> dict[TopicPartition, Start]:
    """Where to read each of the partitions from; the states that a mark goes with are in `changelog`.

    Raises AnotherLogError where only a new epoch helps; a start of the worker begins it (`settle`).
    """
    wanted = list(partitions)
    if not wanted:
        return {}
    own = {tp: marks[tp] for tp in wanted if tp in marks}
    async with _consumer(kafka_url) as consumer, reachable(kafka_url):
        logs = await _logs(consumer, wanted, own)
        changelogs = [TopicPartition(changelog, tp.partition) for tp, mark in own.items() if mark.states]
        state_ends = {tp.partition: end for tp, end in (await _ends(consumer, changelogs)).items()}
    found: dict[TopicPartition, Start] = {}
    for tp in wanted:
        mark, log = own.get(tp, Mark(None, 0)), logs[tp]
        verdict = judge(mark, epochs[tp.topic], log)
        if verdict is Verdict.ANOTHER_LOG:
            raise AnotherLogError(
                f"{tp.topic}-{tp.partition}: the log is not the one that was read up to {mark.position}: "
                "it was cut short or made anew; a new start begins a new epoch"
            )
        whole = states_are_whole(mark, epochs.get(changelog, -1), state_ends.get(tp.partition, 0))
        goes_on = verdict is Verdict.GO_ON and whole
        found[tp] = Start(max(mark.position, log.first), log.held) if goes_on else Start(log.first)
    return found


async def _verdicts(kafka_url: str, epochs: Mapping[str, int], marks: Marks) -> dict[TopicPartition, Verdict]:
    if not marks:
        return {}
    async with _consumer(kafka_url) as consumer, reachable(kafka_url):
        logs = await _logs(consumer, list(marks), marks)
    return {tp: judge(mark, epochs[tp.topic], logs[tp]) for tp, mark in marks.items()}


async def _logs(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], marks: Marks
) -> dict[TopicPartition, Log]:
    firsts = await consumer.beginning_offsets(partitions)
    ends = await _ends(consumer, partitions)
    wanted = {tp: mark.check.offset for tp, mark in marks.items() if mark.check}
    held = await _held(consumer, {tp: at for tp, at in wanted.items() if firsts[tp] <= at < ends[tp]})
    return {tp: Log(firsts[tp], ends[tp], tp.topic in COMPACTED, held.get(tp)) for tp in partitions}


async def _ends(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    return await consumer.end_offsets(partitions) if partitions else {}


async def _held(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, Check]:
    """The records at these offsets, one by partition, of those that are there."""
    found: dict[TopicPartition, Check] = {}
    left = dict(offsets)
    consumer.assign(list(left))
    for tp, offset in left.items():
        consumer.seek(tp, offset)
    while left:
        batches: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(*left, timeout_ms=_POLL_MS)
        found |= {tp: check_of(batch[0]) for tp, batch in batches.items() if batch[0].offset == left[tp]}
        done = [tp for tp, offset in left.items() if await consumer.position(tp) > offset]
        for tp in done:
            del left[tp]
        consumer.pause(*done)
    return found


@asynccontextmanager
async def _consumer(kafka_url: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=_PARTITION_BYTES,
    )
    try:
        async with reachable(kafka_url):
            await consumer.start()
        yield consumer
    finally:
        await stop(consumer)
