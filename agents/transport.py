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
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from agents.chunk import Chunk
from agents.chunked_app import ChunkedApp
from agents.fetching import ConsumerThread
from pipeline.errors import AnotherLogError
from pipeline.marks import Start


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
        """Start where the application says, else at the group's committed offsets, else at the beginning.

        Faust may seek twice in one assignment, with streams at work in between, when rebalances follow each other
        closely: so what was read before is dropped, and what is under way is finished first.
        """
        assigned = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        await self._thread.call_thread(self._thread.stop_reading, assigned)
        for finish in self.app.seeking:
            await finish()
        starts = await self._starts(assigned)
        beginnings = await self.earliest_offsets(*assigned) if assigned else {}
        positions = {tp: max(starts[tp].position if tp in starts else 0, beginnings[tp] or 0) for tp in assigned}
        await self.seek_wait(positions)
        self._thread.continuity.remember(starts)
        self.app.settle()
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
