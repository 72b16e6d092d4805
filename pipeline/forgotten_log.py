"""The compacted topic of forgotten keys: hash in, `pipeline.forgotten.Entry` out; whoever takes events in reads it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NoReturn

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.errors import UnavailableError
from pipeline.forgotten import Entry, Register, dump_entry, load_entry
from pipeline.reachable import reachable, stop
from pipeline.topics import FORGOTTEN, partition_counts

log = logging.getLogger(__name__)

_POLL_MS = 500
_AGAIN_SECONDS = 2.0


async def entries(kafka_url: str) -> dict[bytes, Entry]:
    """All forgotten keys there are now. Raises UnavailableError when Kafka does not answer."""
    register = Register()
    async with _consumer(kafka_url) as consumer, reachable(kafka_url):
        ends = await consumer.end_offsets(consumer.assignment()) if consumer.assignment() else {}
        while not await _is_past(consumer, ends):
            for record in await _read(consumer):
                _apply(record, register)
    return register.entries()


async def follow(kafka_url: str, register: Register) -> NoReturn:
    """Keep the register up to date until cancelled; while Kafka is away it stays as it was."""
    while True:
        try:
            async with _consumer(kafka_url) as consumer:
                while consumer.assignment():
                    for record in await _read(consumer):
                        _apply(record, register)
        except (UnavailableError, KafkaError) as error:
            log.warning("forgotten customers are known as of before: %s", error)
        await asyncio.sleep(_AGAIN_SECONDS)


async def write(kafka_url: str, written: Mapping[bytes, Entry]) -> None:
    """Write entries by hash; return when Kafka has them. Raises UnavailableError when it does not answer."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url, acks="all", enable_idempotence=True)
    try:
        async with reachable(kafka_url):
            await producer.start()
            for hashed, entry in written.items():
                await producer.send_and_wait(FORGOTTEN, dump_entry(entry), hashed)
    finally:
        await producer.stop()


@asynccontextmanager
async def _consumer(kafka_url: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that stands at the beginning of the topic; of one that does not exist yet it is assigned nothing."""
    count = (await partition_counts(kafka_url, [FORGOTTEN])).get(FORGOTTEN, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=_POLL_MS
    )
    try:
        async with reachable(kafka_url):
            await consumer.start()
        if count:
            consumer.assign([TopicPartition(FORGOTTEN, number) for number in range(count)])
            await consumer.seek_to_beginning()
        yield consumer
    finally:
        await stop(consumer)


async def _read(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    batches = await consumer.getmany(timeout_ms=_POLL_MS)
    return [record for batch in batches.values() for record in batch]


async def _is_past(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return all([await consumer.position(tp) >= end for tp, end in ends.items()])


def _apply(record: ConsumerRecord, register: Register) -> None:
    """Take a record over; one that is no entry is passed over, and said, since nobody else may write there."""
    try:
        entry = load_entry(record.value) if record.value is not None else None
    except msgspec.DecodeError as error:
        log.warning("%s-%s: offset %s is no entry: %s", record.topic, record.partition, record.offset, error)
        return
    register.put(record.key or b"", entry)
