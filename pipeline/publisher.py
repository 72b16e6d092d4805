"""Sending to Kafka from the edges: nothing is called sent before Kafka has acknowledged it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from pipeline.errors import UnavailableError
from pipeline.lanes import Lane, Message
from pipeline.topics import reachable

__all__ = ["Message", "Publisher"]

log = logging.getLogger(__name__)

BATCH_BYTES = 256 * 1024
REQUEST_TIMEOUT_MS = 15_000
FRESH_SECONDS = 2.0
_RETRY_SECONDS = 0.1


class Publisher:
    """An idempotent producer (acks=all, murmur2 partitions) that several tasks of one event loop may share.

    What several callers publish at one time travels together, one batch per partition.
    """

    def __init__(self, kafka_url: str, ack_timeout_seconds: float = 10.0, ready_after_seconds: float = 10.0) -> None:
        self._kafka_url = kafka_url
        self._timeout = ack_timeout_seconds
        self._patience = ready_after_seconds
        self._pending: dict[object, float] = {}
        self._failed_at = float("-inf")
        self._connection: _Connection | None = None
        self._making = asyncio.Lock()
        self._acknowledged_at = 0.0
        self._ending: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect. Raises UnavailableError when Kafka does not answer."""
        await self._connected()

    async def stop(self) -> None:
        """Send what is buffered, then disconnect; gives up after the time allowed for an acknowledgement."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(self._timeout)
        if self._ending:
            await asyncio.wait(self._ending, timeout=self._timeout)

    async def publish(self, topic: str, messages: Iterable[Message], partition: int | None = None) -> None:
        """Return when Kafka has acknowledged every message; the key says which partition, unless one is given.

        Raises UnavailableError when it could not within the time given; some may have been written all the same,
        so send again with the same event_ids. A refused batch is tried once more, through a new producer.
        """
        given = messages if isinstance(messages, list) else list(messages)
        token = object()
        self._pending[token] = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    await self._publish(topic, given, partition)
                except KafkaError as error:
                    log.warning("trying again through a new producer, after %r", error)
                    await self._publish(topic, given, partition)
        except (KafkaError, TimeoutError) as error:
            self._failed_at = time.monotonic()
            why = repr(error) if isinstance(error, KafkaError) else f"no answer within {self._timeout:g} s"
            raise UnavailableError(f"Kafka could not acknowledge ({why}): send again later") from error
        finally:
            del self._pending[token]
        self._acknowledged_at = time.monotonic()

    async def _publish(self, topic: str, messages: list[Message], partition: int | None) -> None:
        connection = await self._connected()
        await asyncio.gather(*await connection.put(topic, messages, partition))

    def waiting_seconds(self) -> float:
        """For how long the oldest messages given have waited for their acknowledgement; 0 when none wait."""
        return time.monotonic() - next(iter(self._pending.values())) if self._pending else 0.0

    async def check(self, within: float = 2.0) -> None:
        """Return when Kafka acknowledged something a moment ago or answers now, else raise UnavailableError.

        Raises it, too, while messages have waited longer than `ready_after_seconds`, and for that long after some were
        given up, unless others have been acknowledged since.
        """
        if (waited := self.waiting_seconds()) > self._patience:
            raise UnavailableError(f"events wait for Kafka's acknowledgement since {waited:.0f} s")
        ago = time.monotonic() - self._failed_at
        if self._failed_at > self._acknowledged_at and ago < self._patience:
            raise UnavailableError(f"Kafka did not acknowledge the last events in time, {ago:.0f} s ago")
        if time.monotonic() - self._acknowledged_at < FRESH_SECONDS:
            return
        async with reachable(self._kafka_url, within):
            connection = await self._connected()
            if not await connection.producer.client.force_metadata_update():
                raise UnavailableError(f"Kafka at {self._kafka_url} does not answer: is it running?")

    async def _connected(self) -> _Connection:
        if self._connection is not None and self._connection.broken is None:
            return self._connection
        async with self._making:
            if self._connection is None or self._connection.broken is not None:
                self._discard(self._connection)
                self._connection = None
                self._connection = await _connect(self._kafka_url)
            return self._connection

    def _discard(self, connection: _Connection | None) -> None:
        """After a refused batch an idempotent producer has lost its place (aiokafka issue 1017): end it."""
        if connection is not None:
            log.warning("the producer is made anew after %r", connection.broken)
            ending = asyncio.create_task(connection.close(self._timeout))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)


class _Connection:
    """One producer and the lanes of its partitions, usable until a batch fails."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer
        self.broken: Exception | None = None
        self._lanes: dict[str, list[Lane]] = {}
        self._cluster_id: str | None = None
        self._unsure = True
        self._watch_cluster()

    async def put(
        self, topic: str, messages: Iterable[Message], partition: int | None = None
    ) -> list[asyncio.Future[None]]:
        """Hand messages to their partitions' lanes. Raises KafkaError when the topic cannot be found."""
        await self._be_sure()
        lanes = self._lanes.get(topic) or await self._open(topic)
        count = len(lanes)
        given: dict[int, list[Message]] = {}
        anywhere = random.randrange(count) if partition is None else partition
        for message in messages:
            key = message[0] if partition is None else None
            given.setdefault(_hash(key) % count if key is not None else anywhere, []).append(message)
        if self.broken is not None:
            raise self.broken
        return [lanes[number].put(its) for number, its in given.items()]

    def _watch_cluster(self) -> None:
        """Note which cluster answers, and whenever a connection is lost, since another may answer the next one."""
        client = self.producer.client
        update, closed = client.cluster.update_metadata, client._on_connection_closed

        def noting_update(metadata: Any) -> None:
            known, self._cluster_id = self._cluster_id, metadata.cluster_id
            if known is not None and known != self._cluster_id:
                self._fail(KafkaError("another Kafka answers at this address"))
            update(metadata)

        def noting_closed(*arguments: Any) -> None:
            self._unsure = True
            closed(*arguments)

        client.cluster.update_metadata = noting_update
        client._on_connection_closed = noting_closed

    async def _be_sure(self) -> None:
        """Break if it is another cluster that answers now, such as a broker that came back empty.

        It gives out producer ids from the beginning, so ours may soon be somebody else's too; and a broker takes
        equal ids and sequence numbers for a resend: it would acknowledge records without writing them.
        """
        while self._unsure:
            self._unsure = False
            if not await self.producer.client.force_metadata_update():
                self._unsure = True
                await asyncio.sleep(_RETRY_SECONDS)

    async def _open(self, topic: str) -> list[Lane]:
        partitions = sorted(await self.producer.partitions_for(topic))
        if topic not in self._lanes:
            self._lanes[topic] = [Lane(self.producer, topic, number, self._fail) for number in partitions]
        return self._lanes[topic]

    def _fail(self, error: Exception) -> None:
        self.broken = self.broken or error
        for lane in self._all():
            lane.fail(error)

    async def close(self, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                for lane in self._all():
                    await lane.idle()
                await self.producer.stop()
        except (KafkaError, TimeoutError) as error:
            log.warning("the producer did not end cleanly: %r", error)
            for lane in self._all():
                lane.fail(KafkaError("the connection was closed"))

    def _all(self) -> list[Lane]:
        return [lane for lanes in self._lanes.values() for lane in lanes]


async def _connect(kafka_url: str) -> _Connection:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_url,
        enable_idempotence=True,
        acks="all",
        max_batch_size=BATCH_BYTES,
        max_request_size=8 * 1024 * 1024,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        compression_type="lz4",
    )
    connection = _Connection(producer)
    try:
        async with reachable(kafka_url):
            await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return connection


@lru_cache(maxsize=65_536)
def _hash(key: bytes) -> int:
    return murmur2(key) & 0x7FFFFFFF  # type: ignore[no-any-return]
