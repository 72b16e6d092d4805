"""Puts messages into Kafka as fast as it can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from pipeline.model import Record
from schemas.codec import Encoder

Message = tuple[bytes, bytes]
"""Key and value."""

_TRANSACTION_MS = 600_000


async def feed(kafka_url: str, records: Iterable[Record], partitions: int) -> None:
    """Send touchpoints in their order, in large batches; return when all are acknowledged."""
    await send(kafka_url, encoded(records), partitions)


def encoded(records: Iterable[Record]) -> Iterator[Message]:
    """The touchpoints as they stand in Kafka."""
    encode = Encoder("touchpoints")
    for record in records:
        yield record["customer_id"].encode(), encode(record)


async def send(kafka_url: str, messages: Iterable[Message], partitions: int, topic: str = "touchpoints") -> None:
    """Send the messages in their order, each to its key's partition; return when all are acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url, enable_idempotence=True, **_LARGE)
    await producer.start()
    try:
        await _send(producer, messages, partitions, topic)
    finally:
        await producer.stop()


@asynccontextmanager
async def backlog(kafka_url: str, messages: Iterable[Message], partitions: int) -> AsyncIterator[None]:
    """Send touchpoints so that all of them, at once, can be read when the block ends."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_url, transactional_id="bench", transaction_timeout_ms=_TRANSACTION_MS, **_LARGE
    )
    await producer.start()
    try:
        async with producer.transaction():
            await _send(producer, messages, partitions, "touchpoints")
            yield
    finally:
        await producer.stop()


_LARGE = {"acks": "all", "max_batch_size": 900_000, "compression_type": "lz4"}


async def _send(producer: AIOKafkaProducer, messages: Iterable[Message], partitions: int, topic: str) -> None:
    everywhere, partition_of = list(range(partitions)), DefaultPartitioner()
    batches = {partition: producer.create_batch() for partition in everywhere}
    sent: list[asyncio.Future[object]] = []
    for key, value in messages:
        partition = partition_of(key, everywhere, everywhere)
        if batches[partition].append(key=key, value=value, timestamp=None) is None:
            sent.append(await producer.send_batch(batches[partition], topic, partition=partition))
            batches[partition] = producer.create_batch()
            batches[partition].append(key=key, value=value, timestamp=None)
    for partition, batch in batches.items():
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
