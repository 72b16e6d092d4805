"""An agent that keeps states: from chunks of one or more topics to outputs and changed states, by transactions."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from agents.chunk import Chunk
from agents.flow import Partition, Turns
from agents.guard import Guard
from agents.marking import Marking
from agents.store import States, Store
from agents.surroundings import Surroundings
from agents.transactions import Message, Transactions
from agents.waits import Wait
from pipeline.errors import BrokenInvariantError, UnavailableError
from schemas.ids import UnmetSchemaError

log = logging.getLogger(__name__)

_BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

TURNS = Turns(ahead=2, seconds=0.1)
"""One chunk in its transaction and one to be folded meanwhile; a transaction costs Kafka the same, however full."""


class Outputs(Protocol):
    """What a chunk gives, and the states it leaves; `refused` are the indexes of the records refused, `codes` why."""

    changelog: list[Message]
    refused: list[int]
    codes: Counter[str]

    def by_topic(self) -> Mapping[str, Sequence[Message]]:
        """The messages under the names of their topics, the changelog's among them."""


class Folding(Protocol):
    """What is done to one chunk, pure."""

    def __call__(self, chunk: Chunk, before: States, now: int) -> Outputs:
        """Fold a chunk over the states before it, which are not changed; `now` is UTC milliseconds.

        Raises UnmetSchemaError when the chunk holds a schema id that must be met first.
        """

    async def meet_schemas(self, chunk: Chunk, before: States) -> None:
        """Find out about the schema ids of a chunk. Raises UnavailableError when the registry is out of reach."""


class Folder:
    """Folds the chunks of each partition in order, one transaction each; chunks of different partitions overlap.

    Per chunk: one pure fold over the states; then all it gives (dead letters too), the changed states and the offsets
    in one transaction; and only when that is committed are the states in memory replaced. A crash at any point leaves
    the chunk as if it had never been read. Chunks of several topics share the states of their partition, and take
    turns.

    Of a chunk that gives nothing only the position is to be committed. For `defer_seconds` after a commit of its log
    that waits, for a later chunk or for `settle`: read again after a crash it gives nothing again.
    """

    def __init__(  # noqa: PLR0913 (what it depends on, each once)
        self,
        folding: Folding,
        store: Store,
        transactions: Transactions,
        marking: Marking,
        around: Surroundings,
        *,
        defer_seconds: float = 0.0,
    ) -> None:
        self._defer = defer_seconds
        self._deferred: dict[Partition, Chunk] = {}
        self._committed: dict[Partition, float] = {}
        self._fold = folding
        self._store = store
        self._transactions = transactions
        self._marking = marking
        self._around = around
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[Partition, int] = {}
        self._released = False
        self._assignments = 0
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

    async def pause(self) -> None:
        """Finish what is under way: the partitions are about to be sought, and what was read of them comes again."""
        self._assignments += 1
        self._deferred.clear()
        for turn in list(self._turns.values()):
            async with turn:  # whoever had it has begun a transaction by now, or none
                pass
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def own(self, owned: set[int], lost: set[int]) -> None:
        """Take over and let go of partitions; nothing in flight for a lost one is committed."""
        self._guard.forget()
        self._next.clear()
        self._deferred.clear()
        for partition in lost:
            if task := self._under_way.pop(partition, None):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._transactions.own(owned, lost)
        self._assignments += 1
        self._released = False

    def begin(self, positions: Mapping[Partition, int]) -> None:
        """Expect the first chunk of each partition to begin there; before, chunks are of an assignment past."""
        self._next = dict(positions)

    async def take(self, chunk: Chunk) -> None:
        """Fold a chunk and start its transaction, once the one before it of the same partition is committed."""
        async with self._turns[chunk.partition]:
            await self._take(chunk)

    async def tick(self, topic: str) -> None:
        """Fold, for every partition of the topic, a chunk that covers nothing: for what time alone brings about."""
        for partition in self.partitions(topic):
            async with self._turns[partition]:
                if (position := self._next.get((topic, partition))) is not None:
                    await self._take(Chunk(topic, partition, position, position, ()))

    def partitions(self, topic: str) -> list[int]:
        """The partitions of the topic that are being folded."""
        return [partition for name, partition in self._next if name == topic]

    async def settle(self) -> None:
        """Commit the positions that have waited for long enough."""
        for place in list(self._deferred):
            async with self._turns[place[1]]:
                chunk = self._deferred.get(place)
                if chunk is not None and not self._may_defer(chunk) and await self._has_turn(chunk):
                    self._begin(chunk, self._commit_position(chunk))

    async def _take(self, chunk: Chunk) -> None:
        partition = chunk.partition
        if not await self._has_turn(chunk) or self._is_stale(chunk):
            self._around.flow.dropped(chunk)
            return
        self._follow(chunk)
        started = time.monotonic()
        outputs = await self._folded(chunk)
        if outputs is None:
            self._around.flow.dropped(chunk)
            return
        if self._guard.trips(partition, len(chunk.records), outputs.refused):
            self._stop(chunk)
            return
        if not any(outputs.by_topic().values()) and self._may_defer(chunk):
            self._put_off(chunk, time.monotonic() - started)
        else:
            self._begin(chunk, self._commit(chunk, outputs, started))

    async def _has_turn(self, chunk: Chunk) -> bool:
        """Whether a chunk's transaction may begin, once the one before it of its partition is committed."""
        if previous := self._under_way.get(chunk.partition):
            await asyncio.wait({previous})
            if previous.cancelled():
                return False
            previous.result()
        return not self._released and self._may_take(chunk)

    def _may_defer(self, chunk: Chunk) -> bool:
        """Whether the position alone may wait; that of a chunk which covers nothing needs no commit at all."""
        since = time.monotonic() - self._committed.get((chunk.topic, chunk.partition), float("-inf"))
        return chunk.first == chunk.next or since < self._defer

    def _put_off(self, chunk: Chunk, seconds: float) -> None:
        if chunk.first < chunk.next:
            self._deferred[chunk.topic, chunk.partition] = chunk
            self._around.metrics.applied(chunk.topic, len(chunk.records), seconds)
        self._around.flow.applied(chunk)

    def _begin(self, chunk: Chunk, work: Coroutine[Any, Any, None]) -> None:
        """Start a chunk's transaction, which commits what was put off of its log, too."""
        place = chunk.topic, chunk.partition
        self._deferred.pop(place, None)
        self._committed[place] = time.monotonic()
        task = asyncio.create_task(work)
        task.add_done_callback(self._done)
        self._under_way[chunk.partition] = task

    async def _commit_position(self, chunk: Chunk) -> None:
        mark = partial(self._marking.mark, chunk)
        with self._around.waits.waiting(f"the transaction of partition {chunk.partition} waits for Kafka"):
            await self._transactions.commit(chunk.partition, {}, chunk.topic, mark)

    async def _folded(self, chunk: Chunk) -> Outputs | None:
        """Fold a chunk, once the schema ids in it are known; None when its partition was given back meanwhile.

        While the schema registry is out of reach the chunk is held, and nothing is refused.
        """
        tries, assignments = 0, self._assignments
        with self._around.waits.waiting(f"partition {chunk.partition} waits for the schema registry") as wait:
            while not self._released and self._assignments == assignments:
                try:
                    return self._fold(chunk, self._store.states(chunk.partition), now=int(time.time() * 1000))
                except UnmetSchemaError:
                    tries = await self._met_schemas(chunk, tries, wait)
        return None

    async def _met_schemas(self, chunk: Chunk, tries: int, wait: Wait) -> int:
        """Ask for the chunk's schema ids once; how often that failed in a row, having waited the longer the more."""
        try:
            await self._fold.meet_schemas(chunk, self._store.states(chunk.partition))
        except UnavailableError as error:
            log.warning("partition %s waits: %s", chunk.partition, error, extra=_place(chunk))
            wait.why = str(error)
            await asyncio.sleep(_BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS) - 1)])
            return tries + 1
        return 0

    def _may_take(self, chunk: Chunk) -> bool:
        stopped = (chunk.topic, chunk.partition) in self._around.flow.stopped()
        return (chunk.topic, chunk.partition) in self._next and self._transactions.owns(chunk.partition) and not stopped

    def _is_stale(self, chunk: Chunk) -> bool:
        """Whether it was read before its partition was last sought; one that covers nothing was never read."""
        return chunk.first < chunk.next and not self._around.flow.holds(chunk)

    def _stop(self, chunk: Chunk) -> None:
        """Go no further in this partition: neither this chunk nor what comes after it is committed."""
        why = (
            f"partition {chunk.partition} of {chunk.topic} stopped: most records are refused; nothing more is committed"
        )
        log.error(why, extra=_place(chunk))
        self._around.flow.stop((chunk.topic, chunk.partition), why)
        self._around.flow.dropped(chunk)

    def _follow(self, chunk: Chunk) -> None:
        """Raise BrokenInvariantError unless the chunk goes on where the last one ended; reading again is allowed."""
        place = chunk.topic, chunk.partition
        expected = self._next[place]
        if chunk.first > expected:
            raise BrokenInvariantError(
                f"partition {chunk.partition} of {chunk.topic}: {expected} to {chunk.first} were never handed over"
            )
        self._next[place] = chunk.next

    async def _commit(self, chunk: Chunk, outputs: Outputs, started: float) -> None:
        mark = partial(self._marking.mark, chunk)
        with self._around.waits.waiting(f"the transaction of partition {chunk.partition} waits for Kafka"):
            written = await self._transactions.commit(chunk.partition, outputs.by_topic(), chunk.topic, mark)
        if not self._transactions.owns(chunk.partition):
            return  # committed, but given away meanwhile: its states are not ours to keep
        self._store.update(chunk.partition, outputs.changelog)
        if (position := written.positions.get(self._marking.changelog)) is not None:
            self._store.wrote(chunk.partition, position)
        self._around.flow.applied(chunk)
        self._count(chunk, outputs, time.monotonic() - started)
        self.folded += len(chunk.records)
        self._groups += len(outputs.changelog)

    def _count(self, chunk: Chunk, outputs: Outputs, seconds: float) -> None:
        """Count a chunk whose transaction is committed."""
        metrics = self._around.metrics
        metrics.applied(chunk.topic, len(chunk.records) - len(outputs.refused), seconds, outputs.codes)
        metrics.sent({topic: len(messages) for topic, messages in outputs.by_topic().items() if messages})
        metrics.durable(chunk, time.time())
        log.debug("committed", extra={**_place(chunk), "refused": len(outputs.refused), "seconds": round(seconds, 4)})

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._around.failed(error)


def _place(chunk: Chunk) -> dict[str, str | int]:
    """Where a chunk stands, for the log."""
    return {"topic": chunk.topic, "partition": chunk.partition, "first": chunk.first, "next": chunk.next}
