"""Puts the measured stream into Kafka as fast as it can."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from pipeline.model import Record
from schemas.codec import Encoder


async def feed(kafka_url: str, records: Iterable[Record], partitions: int, topic: str = "touchpoints") -> None:
    """Send the records in their order, in large batches; return when all are acknowledged."""
    encode, partition_of = Encoder("touchpoints"), DefaultPartitioner()
    everywhere = list(range(partitions))
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_url, acks="all", enable_idempotence=True, max_batch_size=900_000, compression_type="lz4"
    )
    await producer.start()
    batches = {partition: producer.create_batch() for partition in everywhere}
    sent: list[asyncio.Future[object]] = []
    try:
        for record in records:
            key, value = record["customer_id"].encode(), encode(record)
            partition = partition_of(key, everywhere, everywhere)
            if batches[partition].append(key=key, value=value, timestamp=None) is None:
                sent.append(await producer.send_batch(batches[partition], topic, partition=partition))
                batches[partition] = producer.create_batch()
                batches[partition].append(key=key, value=value, timestamp=None)
        for partition, batch in batches.items():
            if batch.record_count():
                sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
