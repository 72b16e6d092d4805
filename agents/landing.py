"""Landing: from the topics' logs to ClickHouse, undecoded, each block all or nothing.

Chunks are gathered for a moment, joined into one Avro block per schema version (agents/sorting.py), inserted
(agents/inserting.py), and entered in the ledger; only then are their positions durable. Where reading starts comes from
the ledger, so what a crash left half done is inserted again, which changes nothing. Poison becomes a dead letter. Where
most records of a partition are refused, that partition is stopped: nothing of the offending chunk is entered in the
ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.chunk import Chunk
from agents.entries import entries_of
from agents.guard import Guard
from agents.inserting import Inserter
from agents.patience import patiently
from agents.refused import LogRecord, Recast, Refusals
from agents.sorting import Sorter
from agents.surroundings import Surroundings
from pipeline.errors import BrokenInvariantError
from pipeline.forgotten import Register
from pipeline.marks import Mark
from schemas.codec import Decoder, Encoder
from schemas.contracts import latest
from schemas.ids import LOCAL, Ids
from sinks import ledger
from sinks.clickhouse import Client, RefusedBlock

log = logging.getLogger(__name__)

SendDeadLetters = Callable[[Sequence[bytes]], Awaitable[None]]
Durable = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Limits:
    """How much is gathered before an insert: rows, bytes of memory, and seconds since the first of them."""

    rows: int
    bytes: int
    linger_seconds: float


class Lander:
    """Lands one topic."""

    def __init__(  # noqa: PLR0913 (what landing depends on, each once)
        self,
        topic: str,
        epoch: int,
        *,
        client: Client,
        limits: Limits,
        send_dead_letters: SendDeadLetters,
        durable: Durable,
        around: Surroundings,
        ids: Ids = LOCAL,
        register: Register | None = None,
    ) -> None:
        self.topic = topic
        self.epoch = epoch
        self._client = client
        self._limits = limits
        self._send_dead_letters = send_dead_letters
        self._durable = durable
        self._around = around
        self._guard = Guard()
        self._waiting: list[Chunk] = []
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._decode = Decoder(topic, ids)
        self._patiently = patiently(f"landing of {topic}", around)
        forgotten = Register() if register is None else register
        self._sorter = Sorter(topic, epoch, ids, self._decode, self._patiently, forgotten)
        self._inserter = Inserter(
            topic, epoch, client, self._decode, patiently=self._patiently, metrics=around.metrics.inserts
        )
        self._encode_rejected = Encoder("rejected", ids)
        self._bytes = 0
        self._expected: dict[int, int] = {}
        self.landed = 0
        """Rows landed since the start, for measurement."""

    async def marks(self) -> dict[int, Mark]:
        """By partition, up to where the ledger says that it has landed; asks until ClickHouse answers."""
        found: dict[int, Mark] = {}

        async def ask() -> None:
            found.update(await ledger.checked_marks(self._client, self.topic, self.epoch))

        await self._patiently(ask, "ClickHouse")
        return found

    def begin(self, positions: Mapping[int, int]) -> None:
        """Take only what goes on from these positions, by partition owned; what was gathered before is dropped."""
        self._waiting, self._bytes = [], 0
        self._expected = dict(positions)
        self._guard.forget()
        self._full.clear()
        self._room.set()

    async def take(self, chunk: Chunk) -> None:
        """Gather a chunk; waits while enough is gathered already."""
        await self._room.wait()
        expected = self._expected.get(chunk.partition)
        if expected is None or chunk.first < expected or not self._around.flow.holds(chunk):
            self._around.flow.dropped(chunk)
            return  # read before the partition was given away or sought again: it comes once more
        if chunk.first > expected:
            raise BrokenInvariantError(f"{self.topic}-{chunk.partition}: {expected} to {chunk.first} were skipped")
        self._expected[chunk.partition] = chunk.next
        self._waiting.append(chunk)
        self._bytes += chunk.size
        self._arrived.set()
        if self._rows() >= self._limits.rows or self._bytes >= self._limits.bytes:
            self._room.clear()
            self._full.set()

    def _rows(self) -> int:
        return sum(len(chunk.records) for chunk in self._waiting)

    async def run(self) -> None:
        """Land what is gathered, for ever."""
        while True:
            await self._arrived.wait()
            await self._linger()
            chunks, self._waiting, self._bytes = self._waiting, [], 0
            self._arrived.clear()
            self._full.clear()
            self._room.set()
            await self.land(chunks)
            del chunks  # while nothing arrives, nothing is held

    async def _linger(self) -> None:
        """Wait a moment for more, unless there is enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_seconds):
                await self._full.wait()

    async def land(self, chunks: Sequence[Chunk]) -> None:
        """Insert the chunks' records, keep the dead letters, enter both in the ledger, declare them durable."""
        if not chunks:
            return
        started = time.monotonic()
        refusals = Refusals(self.epoch, self._decode, self._encode_rejected)
        requests: list[LogRecord] = []
        for contract, part in await self._sorter.by_contract(chunks, refusals, requests):
            await self._inserter.insert(contract, part, refusals)
        culprits = {(each.partition, each.offset) for each in refusals.records if self._is_held_against_us(each)}
        culprits -= refusals.forgotten
        chunks, held = self._guard.judge(chunks, culprits)
        if held:
            self._stop(held)
            refusals.keep_within(chunks)
        if refusals.letters:
            await self._keep(refusals)
        entries = entries_of(self.topic, self.epoch, chunks, refusals.records, requests)
        await self._patiently(lambda: ledger.record(self._client, entries), "ClickHouse")
        for entry in entries:
            self._durable(self.topic, entry.partition, entry.next_offset)
            self.landed += entry.rows
        now, metrics = time.time(), self._around.metrics
        for chunk in chunks:
            self._around.flow.applied(chunk)
            metrics.durable(chunk, now)
        rows, seconds = sum(entry.rows for entry in entries), time.monotonic() - started
        metrics.applied(self.topic, rows, seconds, refusals.codes())
        places = [f"{entry.partition}:{entry.first_offset}-{entry.next_offset}" for entry in entries]
        more = {"topic": self.topic, "places": places, "rows": rows, "seconds": round(seconds, 4)}
        log.debug("landed", extra=more)

    def _is_held_against_us(self, record: LogRecord) -> bool:
        """Whether a refusal counts towards stopping its partition.

        Of topic `rejected` only dead letters that are well-formed do. To stop it for garbage that others wrote there
        would hide every dead letter behind that; but where our own are refused, each would bring forth another.
        """
        return self.topic != "rejected" or self._inserter.undecodable(record) is None

    def _stop(self, held: Sequence[Chunk]) -> None:
        """Go no further in these chunks' partitions: neither they nor what comes after them is in the ledger."""
        stopped = {chunk.partition for chunk in held}
        waiting = self._waiting
        self._waiting = [chunk for chunk in waiting if chunk.partition not in stopped]
        self._bytes = sum(chunk.size for chunk in self._waiting)
        for chunk in (*held, *(chunk for chunk in waiting if chunk.partition in stopped)):
            self._around.flow.dropped(chunk)
        for partition in stopped:
            self._expected.pop(partition, None)
            why = f"partition {partition} of {self.topic} stopped: most records are refused; nothing more lands"
            log.error(why, extra={"topic": self.topic, "partition": partition})
            self._around.flow.stop((self.topic, partition), why)

    async def _keep(self, refusals: Refusals) -> None:
        """Send the dead letters; but landing never feeds itself.

        Those about topic `rejected` land in place of the records that they speak of, and the topic does not grow.
        """
        if self.topic != "rejected":
            await self._patiently(lambda: self._send_dead_letters(refusals.letters), "Kafka")
            return
        instead = [
            Recast(bad.topic, bad.partition, bad.offset, letter, bad.value or b"")
            for bad, letter in zip(refusals.records, refusals.letters, strict=True)
        ]
        try:
            await self._inserter.insert_block(latest("rejected"), instead)
        except RefusedBlock as error:
            raise BrokenInvariantError(f"ClickHouse refuses our own dead letters: {error}") from error
