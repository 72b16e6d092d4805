"""The customers agent: from chunks of touchpoints to journeys, profiles and risk."""

from __future__ import annotations

import asyncio
import logging
import time

from agents.chunk import Chunk
from agents.folding import Folding, Outputs
from agents.guard import Guard
from agents.store import Store
from agents.surroundings import Surroundings
from agents.transactions import Transactions
from pipeline.errors import BrokenInvariantError
from pipeline.topics import CHANGELOG

log = logging.getLogger(__name__)


class Customers:
    """Folds the chunks of each partition in order, one transaction each; chunks of different partitions overlap.

    Per chunk: one pure fold over the states; then journeys, customers, risk, dead letters, the changed states and the
    offsets in one transaction; and only when that is committed are the states in memory replaced. A crash at any
    point leaves the chunk as if it had never been read.
    """

    def __init__(
        self,
        folding: Folding,
        store: Store,
        transactions: Transactions,
        around: Surroundings,
    ) -> None:
        self._fold = folding
        self._store = store
        self._transactions = transactions
        self._around = around
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._next: dict[int, int] = {}
        self._released = False
        self._guard = Guard()
        self.folded = 0
        """Records folded and committed since the start, for measurement."""
        self._groups = 0

    @property
    def events_per_customer(self) -> float:
        """How many touchpoints of a changed customer a chunk held on average."""
        return self.folded / self._groups if self._groups else 0.0

    async def release(self) -> None:
        """Finish the transactions under way and take nothing more until partitions are assigned anew.

        Kafka gives partitions to others only after this: so an orderly rebalance fences nobody, and whatever was read
        ahead is read again from where the last transaction left off.
        """
        self._released = True
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def own(self, owned: set[int], lost: set[int]) -> None:
        """Take over and let go of partitions; nothing in flight for a lost one is committed."""
        self._guard.forget()
        for partition in lost:
            self._next.pop(partition, None)
            if task := self._under_way.pop(partition, None):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._transactions.own(owned, lost)
        self._released = False

    async def take(self, chunk: Chunk) -> None:
        """Fold a chunk and start its transaction, once the one before it of the same partition is committed."""
        partition = chunk.partition
        if previous := self._under_way.get(partition):
            await asyncio.wait({previous})
            if previous.cancelled():
                self._around.flow.dropped(chunk)
                return
            previous.result()
        if self._released or not self._may_take(chunk):
            self._around.flow.dropped(chunk)
            return
        self._follow(chunk)
        started = time.monotonic()
        outputs = self._fold(chunk, self._store.states(partition), now=int(time.time() * 1000))
        if self._guard.trips(partition, len(chunk.records), outputs.refused):
            self._stop(chunk)
            return
        task = asyncio.create_task(self._commit(chunk, outputs, started))
        task.add_done_callback(self._done)
        self._under_way[partition] = task

    def _may_take(self, chunk: Chunk) -> bool:
        stopped = (chunk.topic, chunk.partition) in self._around.flow.stopped()
        return self._transactions.owns(chunk.partition) and not stopped

    def _stop(self, chunk: Chunk) -> None:
        """Go no further in this partition: neither this chunk nor what comes after it is committed."""
        why = (
            f"partition {chunk.partition} of {chunk.topic} stopped: most records are refused; nothing more is committed"
        )
        log.error(why)
        self._around.flow.stop((chunk.topic, chunk.partition), why)
        self._around.flow.dropped(chunk)

    def _follow(self, chunk: Chunk) -> None:
        """Raise BrokenInvariantError unless the chunk goes on where the last one ended; reading again is allowed."""
        expected = self._next.get(chunk.partition, chunk.first)
        if chunk.first > expected:
            raise BrokenInvariantError(
                f"partition {chunk.partition}: {expected} to {chunk.first} were never handed over"
            )
        self._next[chunk.partition] = chunk.next

    async def _commit(self, chunk: Chunk, outputs: Outputs, started: float) -> None:
        with self._around.waits.waiting(f"the transaction of partition {chunk.partition} waits for Kafka"):
            written = await self._transactions.commit(chunk.partition, outputs.by_topic(), chunk.topic, chunk.next)
        if not self._transactions.owns(chunk.partition):
            return  # committed, but given away meanwhile: its states are not ours to keep
        self._store.states(chunk.partition).update(outputs.changelog)  # type: ignore[arg-type]
        if (position := written.positions.get(CHANGELOG)) is not None:
            self._store.wrote(chunk.partition, position)
        self._around.flow.applied(chunk)
        refused = len(outputs.refused)
        self._around.metrics.applied(chunk.topic, len(chunk.records) - refused, refused, time.monotonic() - started)
        self.folded += len(chunk.records)
        self._groups += len(outputs.changelog)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._around.failed(error)
