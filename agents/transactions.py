"""One transaction per chunk: what a chunk gives, the states it leaves and its offsets become visible together.

Each partition has a transactional id of its own. Whoever takes a partition over initialises that id first; from then
on Kafka refuses its previous owner, even one that was only paused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidTxnState,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from pipeline.errors import BrokenInvariantError, FencedError, TouchlineError

log = logging.getLogger(__name__)

Message = tuple[bytes | None, bytes | None]
"""Key, where the topic has one, and value; a null value deletes the key from a compacted topic."""

PositionAfter = Callable[[Mapping[str, int]], OffsetAndMetadata]
"""From the positions after what was written, by topic, to what is committed."""

_BATCH_BYTES = 900_000
_ATTEMPT_SECONDS = 30.0
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_FATAL = (
    ProducerFenced,
    InvalidProducerEpoch,
    OutOfOrderSequenceNumber,
    TransactionalIdAuthorizationFailed,
    InvalidTxnState,
    MessageSizeTooLargeError,
)


@dataclass(frozen=True)
class Written:
    """What a transaction came to: by topic, the position after its records and its marker."""

    positions: Mapping[str, int]


class Transactions:
    """The producers of the partitions this worker owns."""

    def __init__(self, kafka_url: str, group: str, compression: str | None = None) -> None:
        self._kafka_url = kafka_url
        self._compression = compression
        self._group = group
        self._producers: dict[int, AIOKafkaProducer] = {}

    async def own(self, owned: set[int], lost: set[int]) -> None:
        """Let go of the partitions lost, aborting what is under way, and fence the previous owners of new ones."""
        gone = [self._producers.pop(partition) for partition in lost if partition in self._producers]
        await asyncio.gather(*(_stop(producer) for producer in gone))
        await asyncio.gather(*(self._take_over(partition) for partition in owned - set(self._producers)))

    async def close(self) -> None:
        """Let go of every partition."""
        await self.own(set(), set(self._producers))

    def owns(self, partition: int) -> bool:
        """Whether this worker may write for the partition."""
        return partition in self._producers

    async def _take_over(self, partition: int) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka_url,
            transactional_id=f"{self._group}-{partition}",
            transaction_timeout_ms=60_000,
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=8 * _BATCH_BYTES,
            compression_type=self._compression,
        )
        await producer.start()
        self._producers[partition] = producer

    async def commit(
        self, partition: int, outputs: Mapping[str, Sequence[Message]], source: str, position: PositionAfter
    ) -> Written:
        """Write the outputs, by topic, to this partition, and commit `source` up to `position`, in one transaction.

        `position` is asked once the outputs are acknowledged, with where they came to stand. Tries again while Kafka is
        away. Raises FencedError when the partition has another owner, or when the producer cannot go on; then nothing
        was committed.
        """
        attempt = 0
        while True:
            producer = self._producers.get(partition)
            if producer is None:
                raise FencedError(f"partition {partition} is not this worker's any more")
            try:
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    return await self._attempt(producer, partition, outputs, source, position)
            except _FATAL as error:
                raise FencedError(f"partition {partition} has another owner ({error!r})") from error
            except (KafkaError, TimeoutError) as error:
                log.warning("partition %s: the transaction failed, trying again: %r", partition, error)
                await _abort(producer, partition)
            await asyncio.sleep(_BACKOFF_SECONDS[min(attempt, len(_BACKOFF_SECONDS) - 1)])
            attempt += 1

    async def _attempt(
        self,
        producer: AIOKafkaProducer,
        partition: int,
        outputs: Mapping[str, Sequence[Message]],
        source: str,
        position: PositionAfter,
    ) -> Written:
        await producer.begin_transaction()
        sent = {
            topic: await _send(producer, topic, partition, messages) for topic, messages in outputs.items() if messages
        }
        positions = {topic: await _position_after(batches) for topic, batches in sent.items()}
        offsets = {TopicPartition(source, partition): position(positions)}
        await producer.send_offsets_to_transaction(offsets, self._group)
        await producer.commit_transaction()
        return Written(positions)


Batches = list[tuple[asyncio.Future[RecordMetadata], int]]


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Message]) -> Batches:
    """Send the messages as few large batches: a fraction of what sending them one by one costs."""
    batches: Batches = []
    batch = producer.create_batch()
    for key, value in messages:
        if len(key or b"") + len(value or b"") > _BATCH_BYTES:
            raise BrokenInvariantError(f"a record of {len(value or b'')} bytes for {topic} is larger than any batch")
        if batch.append(key=key, value=value, timestamp=None) is None:
            batches.append((await producer.send_batch(batch, topic, partition=partition), batch.record_count()))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    batches.append((await producer.send_batch(batch, topic, partition=partition), batch.record_count()))
    return batches


async def _position_after(batches: Batches) -> int:
    """The position after the last batch and the transaction's marker, once all are acknowledged."""
    end = 0
    for future, count in batches:
        end = (await future).offset + count
    return end + 1


async def _abort(producer: AIOKafkaProducer, partition: int) -> None:
    """Abort what is under way. Raises FencedError where even that is refused: the producer cannot go on."""
    try:
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            await producer.abort_transaction()
    except (KafkaError, TimeoutError, AssertionError) as error:
        raise FencedError(f"partition {partition}: the transaction can be neither committed nor aborted") from error


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(5):
            await producer.stop()
    except (KafkaError, TimeoutError, TouchlineError) as error:
        log.warning("a producer did not stop cleanly: %r", error)
