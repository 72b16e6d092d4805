"""What the compacted topics hold under some keys: the last record of each, which is all that will be left of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.reachable import reachable, stop

_POLL_MS = 100


async def last_values(
    kafka_url: str, topic: str, keys: Collection[bytes], partitions: Collection[int]
) -> dict[bytes, bytes | None]:
    """By key, the last committed value in these partitions, None for a tombstone; a key without any record is absent.

    Reads the partitions from their beginning. Raises UnavailableError when Kafka does not answer for a minute.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=_POLL_MS,
    )
    wanted, found = frozenset(keys), dict[bytes, bytes | None]()
    try:
        async with reachable(kafka_url):
            await consumer.start()
            own = [TopicPartition(topic, number) for number in partitions]
            ends = await consumer.end_offsets(own)
            consumer.assign(own)
            await consumer.seek_to_beginning(*own)
        while not await _is_past(consumer, ends):
            async with reachable(kafka_url):
                batches = await consumer.getmany(timeout_ms=_POLL_MS)
            found |= {each.key: each.value for batch in batches.values() for each in batch if each.key in wanted}
    finally:
        await stop(consumer)
    return found


async def _is_past(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    await asyncio.sleep(0)
    return all([await consumer.position(tp) >= end for tp, end in ends.items()])
