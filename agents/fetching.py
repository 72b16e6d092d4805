"""Fetching chunks of partitions, in the consumer's own thread (see agents/transport.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.chunk import Chunk, size_of
from agents.continuity import Continuity

_FETCH_WAIT_MS = 100
"""How long Kafka may hold a fetch: one is under way at a time, and what it does not ask for waits for it."""

_IDLE_SECONDS = 0.02
"""How soon it is asked again whether what may not be read now may."""

_MOST_BYTES = 8 * 1024 * 1024
"""About how much memory the records of one chunk may take, however well they were compressed."""

_STEP_RECORDS = 128
"""How many records are unpacked before their bytes are counted."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches chunks, in the consumer's own thread.

    A partition is read only once it has been sought, and every chunk begins where the one before it ended: what the
    client reads ahead between an assignment and the seek that follows it must not pass for the beginning. After a lost
    connection it must be found to be the same log still (agents/continuity.py).
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.continuity = Continuity()
        self._unsure = False

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        self._note_lost_connections(consumer._client)
        return consumer

    def _note_lost_connections(self, client: Any) -> None:
        closed = client._on_connection_closed

        def noting(*arguments: Any) -> None:
            self._unsure = True
            closed(*arguments)

        client._on_connection_closed = noting

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 (the driver's signature)
        max_records: int | None = None,
    ) -> RecordMap:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        sought = {tp for tp in active_partitions if tp in self.continuity and self._may_read(tp)}
        with consumer._subscription.fetch_context():  # also while idle: who does not fetch for long leaves the group
            if not sought:
                await asyncio.sleep(_IDLE_SECONDS)
                return {}
            if timeout is not None and len(sought) < len(active_partitions):
                timeout = min(timeout, _IDLE_SECONDS)
            most = max_records or _STEP_RECORDS
            records = await fetcher.fetched_records(sought, timeout=timeout, max_records=min(most, _STEP_RECORDS))
        if self._unsure:
            self._go_back(consumer)
            return {}
        return dict(self._chunks(consumer, sought, records, most))

    def _may_read(self, tp: TP) -> bool:
        """Whether whoever takes the chunks of a partition would take one now.

        A stream throws away what it gets before a rebalance has wholly ended, which is after the partitions have been
        sought, and nothing would read it again. Changelogs are read in between, and past the streams.
        """
        app = self.consumer.app
        taken = app.flow_control.is_active() or self.consumer._is_changelog_tp(tp)
        return taken and app.flow.may_read(tp)

    def _chunks(
        self, consumer: AIOKafkaConsumer, sought: set[TP], records: RecordMap, most: int
    ) -> Iterator[tuple[TP, list[Chunk]]]:
        """One chunk for each partition that has moved, of up to so many records."""
        flow = self.consumer.app.flow
        for tp in sought:
            found = records.get(tp, [])
            if found and flow.may_read(tp):
                found = _grown(consumer._fetcher, tp, found, most)
            if tp in self.continuity and (chunk := self._chunk(consumer, tp, found)):
                flow.took(chunk)
                yield tp, [chunk]

    def _go_back(self, consumer: AIOKafkaConsumer) -> None:
        """Drop what may have come since a connection was lost, and read from the last record known before it."""
        self._unsure = False
        assigned = consumer.assignment()
        for tp, position in self.continuity.go_back().items():
            if tp in assigned:
                consumer.seek(tp, position)

    def _chunk(self, consumer: AIOKafkaConsumer, tp: TP, records: Sequence[ConsumerRecord]) -> Chunk | None:
        """What was read of a partition since the last chunk, or since it was sought; None when nothing was."""
        after = _position(consumer, tp)
        return None if after is None else self.continuity.chunk(tp, after, records)

    async def ends(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Where the logs of the partitions end now."""
        ends: dict[TP, int] = await self._ensure_consumer().end_offsets(list(partitions))
        return ends

    async def committed(self, partitions: Iterable[TP]) -> dict[TP, int | None]:
        """The group's committed offsets."""
        consumer = self._ensure_consumer()
        return {tp: await consumer.committed(tp) for tp in partitions}

    async def stop_reading(self, partitions: Iterable[TP]) -> None:
        """Read these partitions no more until they are sought, and take back what of them nobody has begun with."""
        self.continuity.forget(partitions)
        self.consumer.app.flow.forget(partitions)

    async def _seek_wait(self, consumer: AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        """Seek, and only then let the partitions be read."""
        self.continuity.forget(partitions)
        await super()._seek_wait(consumer, partitions)
        for tp, position in partitions.items():
            self.consumer.app.flow.begin(tp, position)
        self.continuity.begin(partitions)


def _grown(fetcher: Any, tp: TP, records: list[ConsumerRecord], most: int) -> list[ConsumerRecord]:
    """Go on unpacking what is here of a partition, up to so many records and `_MOST_BYTES`."""
    grown, size = records, size_of(records)
    while size < _MOST_BYTES and len(grown) < most and isinstance(fetched := fetcher._records.get(tp), FetchResult):
        more = fetched.getall(min(_STEP_RECORDS, most - len(grown)))  # what it raises ends the worker: none is skipped
        if not fetched.has_more():
            del fetcher._records[tp]
            fetcher._notify(fetcher._wait_consume_future)
        if not more:
            break
        grown += more
        size += size_of(more)
    return grown


def _position(consumer: AIOKafkaConsumer, tp: TP) -> int | None:
    """Where the consumer stands, without asking anyone; None while that is unknown."""
    assignment = consumer._subscription.subscription.assignment
    state = assignment.state_value(tp) if assignment else None
    return state._position if state and state.has_valid_position else None
