"""A Faust transport that hands the agents one message per fetched chunk of a partition.

Faust spends some 500 Python calls per message before an agent sees it; per chunk that is nothing. Faust finds this
driver by its entry point (`faust.transports`), as the broker URL's scheme `chunked://`. Four things differ from the
driver it extends:

- records are read committed, and come as a `Chunk` whose offset, for Faust, is the last position it covers;
- what may be committed is what an agent declared durable (`Consumer.durable`), never what a stream acknowledged;
- a topic of which the agents hold enough bytes is not read on (`ChunkedApp.flow`), and no other waits for it;
- where reading starts is chosen by the application (`ChunkedApp.starts`), and after every lost connection the last
  record read is read again: a broker may have lost the end of a log meanwhile, and the log may have grown since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from agents.chunk import Chunk, size_of
from agents.continuity import Continuity
from agents.flow import Flow, Partition
from agents.metrics import Metrics
from agents.waits import Waits
from pipeline.errors import AnotherLogError
from pipeline.marks import Start

_FETCH_WAIT_MS = 100
"""How long Kafka may hold a fetch: one is under way at a time, and what it does not ask for waits for it."""

_IDLE_SECONDS = 0.05

_MOST_BYTES = 8 * 1024 * 1024
"""About how much memory the records of one chunk may take, however well they were compressed."""

_STEP_RECORDS = 128
"""How many records are unpacked before their bytes are counted."""

_QUEUED_CHUNKS = 4_096
"""More than fit into a topic's share of memory: where Faust's own queue is full, every topic waits."""

Starts = Callable[[set[TP]], Awaitable[Mapping[TP, Start]]]


class ChunkedApp(faust.App):
    """A Faust application on this transport."""

    starts: Starts | None = None
    """Where to read from, for the partitions assigned; None: from the group's committed offsets."""

    def __init__(self, *args: Any, most_bytes: int, done: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow = Flow(most_bytes)
        self.waits = Waits()
        self.metrics = Metrics(done)
        self.settled = False
        """Whether the partitions are assigned, and the states of the tables recovered."""
        self.closing: list[Callable[[], Awaitable[None]]] = []
        """What to close when the application stops, in order."""
        self.releasing: list[Callable[[], Awaitable[None]]] = []
        """What to finish before partitions are given back, while they are still ours."""
        self.failure: BaseException | None = None
        self._failing = asyncio.Event()

    def chunks_of(self, name: str) -> Any:
        """A topic for an agent; what it holds of it is bounded by `flow`."""
        self.flow.watch(name)
        return self.topic(name, key_type=bytes, value_type=bytes, maxsize=_QUEUED_CHUNKS)

    async def ends(self) -> Mapping[Partition, int]:
        """Where the logs of the partitions assigned end now."""
        return await self.consumer.ends()

    def failed(self, error: BaseException | None) -> None:
        """Note that the application cannot go on; whoever runs it stops it and raises the error."""
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is not None and self.failure is None:
            self.failure = error
            self._failing.set()

    @contextmanager
    def failing(self, kind: type[Exception] = Exception) -> Iterator[None]:
        """Whatever a block raises ends the application: Faust would log it, or restart the agent past its chunk."""
        try:
            yield
        except kind as error:
            self.failed(error)
            raise

    async def until_failed(self) -> None:
        """Return when the application cannot go on."""
        await self._failing.wait()

    def _crash(self, reason: BaseException) -> None:
        super()._crash(reason)
        self.failed(reason)


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


class Consumer(driver.Consumer):
    """A consumer of chunks that commits what is durable and nothing else."""

    app: ChunkedApp

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._durable: dict[TP, int] = {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def durable(self, topic: str, partition: int, position: int) -> None:
        """Declare that all before this position is durable downstream, so that it may be committed."""
        self._durable[TP(topic, partition)] = position

    async def ends(self) -> dict[TP, int]:
        """Where the logs of the partitions that agents read end now; asked past the driver's queue, which works on."""
        asking = self._thread.ends([TP(*partition) for partition in self.app.flow.reached()])
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, self._thread.thread_loop))

    def _to_message(self, tp: TP, record: Chunk) -> ConsumerMessage:
        return ConsumerMessage(
            topic=record.topic,
            partition=record.partition,
            offset=record.next - 1,
            timestamp=0.0,
            timestamp_type=0,
            headers=(),
            key=None,
            value=record,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Start where the application says, else at the group's committed offsets, else at the beginning."""
        assigned = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        starts = await self._starts(assigned)
        beginnings = await self.earliest_offsets(*assigned) if assigned else {}
        positions = {tp: max(starts[tp].position if tp in starts else 0, beginnings[tp] or 0) for tp in assigned}
        await self.seek_wait(positions)
        self._thread.continuity.remember(starts)
        return positions

    async def _starts(self, assigned: set[TP]) -> Mapping[TP, Start]:
        if self.app.starts is None:
            committed = await self._thread.call_thread(self._thread.committed, assigned)
            return {tp: Start(position or 0) for tp, position in committed.items()}
        with self.app.failing(AnotherLogError):
            return await self.app.starts(assigned)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Read nothing before it is sought anew."""
        self.app.settled = False
        self._thread.continuity.forget()
        self.app.flow.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish what is under way while the partitions are still ours, then forget what was durable in them."""
        self.app.settled = False
        for release in self.app.releasing:
            await release()
        for tp in revoked:
            self._durable.pop(tp, None)
        await super().on_partitions_revoked(revoked)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps are part of a chunk; Faust's bookkeeping of them is not used."""

    def _filter_tps_with_pending_acks(self, topics: Iterable[Any] | None = None) -> Iterator[TP]:
        return (tp for tp in list(self._durable) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._durable.get(tp)


class Transport(driver.Transport):
    """The transport of URLs `chunked://host:port`."""

    Consumer = Consumer
    default_port = 9092
    driver_version = f"chunked, over {driver.Transport.driver_version}"
