"""Reads topics as they stand, outside any consumer group: bounds, and the records between two offsets.

What counts is what a reader of committed records sees. Offsets are not counts: transaction markers, aborted
transactions and compaction leave gaps, and neither a tombstone nor a request is a record that anybody lands.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pipeline.errors import UnavailableError
from pipeline.reachable import reachable, stop
from pipeline.requests import is_request
from pipeline.topics import partition_counts

STALLED_SECONDS = 30.0
POLL_MS = 20


@dataclass(frozen=True)
class Span:
    """Offsets from `first` up to, not including, `end`."""

    first: int
    end: int


class LogReader:
    """One consumer without a group. Not for concurrent use."""

    def __init__(self, kafka_url: str, consumer: AIOKafkaConsumer) -> None:
        self._url = kafka_url
        self._consumer = consumer
        self._counts: dict[str, int] = {}

    async def spans(self, topics: Iterable[str]) -> dict[TopicPartition, Span]:
        """Return what every partition of the topics holds now; a topic that does not exist has none."""
        wanted = set(topics)
        if wanted - self._counts.keys():
            self._counts |= await partition_counts(self._url, wanted)
        counts = {topic: self._counts[topic] for topic in wanted & self._counts.keys()}
        partitions = [TopicPartition(topic, number) for topic in sorted(counts) for number in range(counts[topic])]
        if not partitions:
            return {}
        async with reachable(self._url):
            firsts = await self._consumer.beginning_offsets(partitions)
            ends = await self._consumer.end_offsets(partitions)
        return {tp: Span(firsts[tp], ends[tp]) for tp in partitions}

    async def records(self, spans: Mapping[TopicPartition, Span]) -> AsyncIterator[list[ConsumerRecord]]:
        """All records that are to land, in the spans, a batch of one partition at a time, in offset order.

        Raises UnavailableError when nothing moves for `STALLED_SECONDS`.
        """
        left = {tp: span for tp, span in spans.items() if span.first < span.end}
        if not left:
            return
        self._consumer.assign(list(left))
        for tp, span in left.items():
            self._consumer.seek(tp, span.first)
        moved = time.monotonic()
        while left:
            async with reachable(self._url):
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
            for tp, batch in batches.items():
                wanted = [record for record in batch if _is_landed(record.value) and record.offset < spans[tp].end]
                if wanted:
                    yield wanted
            finished = await self._finished(left)
            if batches or finished:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALLED_SECONDS:
                raise UnavailableError(
                    f"Kafka at {self._url} stopped answering reads of {sorted(left)}: is it healthy?"
                )
            for tp in finished:
                del left[tp]
            self._consumer.pause(*finished)

    async def _finished(self, left: Mapping[TopicPartition, Span]) -> list[TopicPartition]:
        return [tp for tp, span in left.items() if await self._consumer.position(tp) >= span.end]

    async def holds_records(self, spans: Mapping[TopicPartition, Span]) -> set[TopicPartition]:
        """Return the partitions whose span holds at least one record."""
        found: set[TopicPartition] = set()
        for tp, span in spans.items():
            async for batch in self.records({tp: span}):
                if batch:
                    found.add(tp)
                    break
        return found


def _is_landed(value: bytes | None) -> bool:
    return value is not None and not is_request(value)


@asynccontextmanager
async def log_reader(kafka_url: str) -> AsyncIterator[LogReader]:
    """Open a reader. Raises UnavailableError when Kafka does not answer."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=POLL_MS,
        max_partition_fetch_bytes=1024 * 1024,
        check_crcs=False,
    )
    try:
        async with reachable(kafka_url):
            await consumer.start()
        yield LogReader(kafka_url, consumer)
    finally:
        await stop(consumer)
