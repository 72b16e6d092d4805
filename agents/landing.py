"""Landing: from the topics' logs to ClickHouse, undecoded, each block all or nothing.

Chunks are gathered for a moment, joined into one Avro block per schema version, inserted, and entered in the ledger;
only then are their positions durable. What a newer version wrote than this worker knows is decoded and encoded anew.
Where reading starts comes from the ledger, so what a crash left half done is inserted again, which changes nothing. A
block that ClickHouse refuses for its content is halved until the poison is found; it becomes a dead letter, and
everything beside it lands. Where most records of a partition are refused, that partition is stopped: nothing of the
offending chunk is entered in the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.guard import Guard
from agents.refusal import envelope
from agents.surroundings import Surroundings
from pipeline.errors import BrokenInvariantError, UnavailableError
from pipeline.marks import NO_CHECK, Check, Mark, check_of
from pipeline.model import FieldError, LogPosition, dead_letter
from pipeline.requests import is_request
from pipeline.validation import RECORD_LIMIT
from schemas import block
from schemas.codec import HEADER_BYTES, Decoder, Encoder, UndecodableError, header
from schemas.contracts import Contract, latest
from schemas.framing import NotTextError, schema_id_of
from schemas.ids import LOCAL, Ids
from sinks import ledger
from sinks.clickhouse import Client, FailedInsertError, RefusedBlock
from sinks.codes import MEMORY_LIMIT
from sinks.ledger import Landed

log = logging.getLogger(__name__)

SOURCE = "landing"
_DOUBTFUL_FAILURES = 3
"""How often the server may fail with one block before the block's records are decoded."""
_BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

SendDeadLetters = Callable[[Sequence[bytes]], Awaitable[None]]
Durable = Callable[[str, int, int], None]


class LogRecord(block.Value, Protocol):
    """What landing needs of a Kafka record."""

    topic: str
    partition: int


@dataclass(slots=True)
class Recast:
    """A record whose value was encoded anew as the latest version; `original` is what stands in the log."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    original: bytes


@dataclass(frozen=True)
class Limits:
    """How much is gathered before an insert: rows, bytes of memory, and seconds since the first of them."""

    rows: int
    bytes: int
    linger_seconds: float


class TooMuchError(Exception):
    """ClickHouse has not the memory for a block: it may have it for half of it."""


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
        self._largest = RECORD_LIMIT if topic == "touchpoints" else sys.maxsize
        self._ids = ids
        self._usual = header(ids.own(topic))
        self._decode = Decoder(topic, ids)
        self._encode = Encoder(topic, ids)
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
        if expected is None or chunk.first < expected:
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
        refused: list[LogRecord] = []
        letters: list[bytes] = []
        requests: list[LogRecord] = []
        for contract, part in await self._by_contract(chunks, refused, letters, requests):
            await self._insert(contract, part, refused, letters)
        culprits = {(each.partition, each.offset) for each in refused if self._is_held_against_us(each)}
        chunks, held = self._guard.judge(chunks, culprits)
        if held:
            self._stop(held)
            refused, letters = _within(chunks, refused, letters)
        if letters:
            await self._keep(refused, letters)
        entries = _entries(self.topic, self.epoch, chunks, refused, requests)
        await self._patiently(lambda: ledger.record(self._client, entries), "ClickHouse")
        for entry in entries:
            self._durable(self.topic, entry.partition, entry.next_offset)
            self.landed += entry.rows
        for chunk in chunks:
            self._around.flow.applied(chunk)
        rows = sum(entry.rows for entry in entries)
        self._around.metrics.applied(self.topic, rows, len(refused), time.monotonic() - started)

    def _is_held_against_us(self, record: LogRecord) -> bool:
        """Whether a refusal counts towards stopping its partition.

        Of topic `rejected` only dead letters that are well-formed do. To stop it for garbage that others wrote there
        would hide every dead letter behind that; but where our own are refused, each would bring forth another.
        """
        return self.topic != "rejected" or self._undecodable(record) is None

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
            log.error(why)
            self._around.flow.stop((self.topic, partition), why)

    async def _keep(self, refused: Sequence[LogRecord], letters: Sequence[bytes]) -> None:
        """Send the dead letters; but landing never feeds itself.

        Those about topic `rejected` land in place of the records that they speak of, and the topic does not grow.
        """
        if self.topic != "rejected":
            await self._patiently(lambda: self._send_dead_letters(letters), "Kafka")
            return
        instead = [
            Recast(bad.topic, bad.partition, bad.offset, letter, bad.value or b"")
            for bad, letter in zip(refused, letters, strict=True)
        ]
        try:
            await self._insert_block(latest("rejected"), instead)
        except RefusedBlock as error:
            raise BrokenInvariantError(f"ClickHouse refuses our own dead letters: {error}") from error

    async def _by_contract(
        self,
        chunks: Sequence[Chunk],
        refused: list[LogRecord],
        letters: list[bytes],
        requests: list[LogRecord],
    ) -> list[tuple[Contract, list[LogRecord]]]:
        """The records by the contract that wrote them; tombstones and requests to the customers agent are not rows."""
        ordinary: list[LogRecord] = []
        others: list[ConsumerRecord] = []
        framing = self._usual
        for chunk in chunks:
            for record in chunk.records:
                value = record.value
                if value is not None and len(value) > self._largest and not is_request(value):
                    self._refuse(record, "too_large", f"a record may have {self._largest:,} bytes", refused, letters)
                elif value is not None and value[:HEADER_BYTES] == framing:
                    ordinary.append(record)
                elif is_request(value):
                    requests.append(record)
                elif value is not None:
                    others.append(record)
        groups = [(latest(self.topic), ordinary)]
        if others:
            await self._patiently(
                lambda: self._ids.meet(self.topic, [record.value for record in others]), "the schema registry"
            )
            groups += self._others_by_contract(others, refused, letters)
        return [(contract, records) for contract, records in groups if records]

    def _others_by_contract(
        self, records: Sequence[ConsumerRecord], refused: list[LogRecord], letters: list[bytes]
    ) -> list[tuple[Contract, list[LogRecord]]]:
        """What other versions wrote: kept versions as they are; newer ones anew, in a block of their own."""
        found: dict[int, tuple[Contract, list[LogRecord]]] = {}
        recast: list[LogRecord] = []
        for record in records:
            try:
                contract = self._ids.reading(self.topic, schema_id_of(record.value)).contract
                if contract is not None:
                    found.setdefault(contract.version, (contract, []))[1].append(record)
                else:
                    recast.append(self._recast(record))
            except UndecodableError as error:
                self._refuse(record, error.code, str(error), refused, letters)
        return [*found.values(), (latest(self.topic), recast)]

    def _recast(self, record: ConsumerRecord) -> Recast:
        value = self._encode(self._decode(record.value))
        return Recast(record.topic, record.partition, record.offset, value, record.value)

    async def _insert(
        self,
        contract: Contract,
        records: Sequence[LogRecord],
        refused: list[LogRecord],
        letters: list[bytes],
    ) -> None:
        """Insert the records of one contract; what the engine refuses is narrowed down, first by decoding."""
        try:
            await self._insert_block(contract, records)
        except TooMuchError:
            for half in (records[: len(records) // 2], records[len(records) // 2 :]):
                await self._insert(contract, half, refused, letters)
        except RefusedBlock as refusal:
            bad = {id(record): why for record in records if (why := self._undecodable(record))}
            if not bad and len(records) == 1:
                fault = self._fault(records[0]) or UndecodableError("refused", str(refusal))
                self._refuse(records[0], fault.code, str(fault), refused, letters)
                return
            for record in records:
                if why := bad.get(id(record)):
                    self._refuse(record, "body", why, refused, letters)
            good = [record for record in records if id(record) not in bad]
            halves = [good] if bad else [good[: len(good) // 2], good[len(good) // 2 :]]
            for half in halves:
                if half:
                    await self._insert(contract, half, refused, letters)

    def _undecodable(self, record: LogRecord) -> str | None:
        """Why a record does not fit its schema, if so. One with strings that are no text does: ClickHouse keeps it."""
        fault = self._fault(record)
        return None if fault is None or isinstance(fault, NotTextError) else str(fault)

    def _fault(self, record: LogRecord) -> UndecodableError | None:
        try:
            self._decode(record.value)
        except UndecodableError as error:
            return error
        return None

    async def _insert_block(self, contract: Contract, records: Sequence[LogRecord]) -> None:
        parts: list[bytes] = []
        start = 0
        for end in range(1, len(records) + 1):
            if end == len(records) or records[end].partition != records[start].partition:
                parts += block.bodies(self.epoch, records[start].partition, records[start:end])
                start = end
        container = block.container(contract, len(records), parts)
        first, last = records[0], records[-1]
        token = (
            f"{self.topic}-{self.epoch}-{first.partition}:{first.offset}-{last.partition}:{last.offset}-{len(records)}"
        )
        failures = 0

        async def attempt() -> None:
            nonlocal failures
            try:
                await self._client.insert_avro(f"{self.topic}_log", container, token)
            except FailedInsertError as failure:
                failures += 1
                if failures % _DOUBTFUL_FAILURES == 0:
                    await self._doubt(records, failure)
                raise

        await self._patiently(attempt, "ClickHouse")

    async def _doubt(self, records: Sequence[LogRecord], failure: FailedInsertError) -> None:
        """Ask whether a block that fails time and again, while the server answers others, does so for what it is.

        Raises RefusedBlock when some of its records cannot be decoded: a length that lies asks for all memory there is.
        Raises TooMuchError when the server has not the memory for so many records at once.
        """
        await self._client.query("SELECT 1")
        if any(self._undecodable(record) for record in records):
            raise RefusedBlock(failure.code, str(failure)) from failure
        if failure.code == MEMORY_LIMIT and len(records) > 1:
            raise TooMuchError from failure

    async def _patiently(self, attempt: Callable[[], Awaitable[None]], whom: str) -> None:
        """Try until it succeeds: while ClickHouse or Kafka is away the partitions are held, and nothing is lost."""
        tries = 0
        with self._around.waits.waiting(f"landing of {self.topic} waits for {whom}") as wait:
            while True:
                try:
                    return await attempt()
                except UnavailableError as error:
                    log.warning("landing of %s waits: %s", self.topic, error)
                    wait.why = str(error)
                    await asyncio.sleep(_BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS) - 1)])
                    tries += 1

    def _refuse(self, record: LogRecord, code: str, why: str, refused: list[LogRecord], letters: list[bytes]) -> None:
        refused.append(record)
        original = record.original if isinstance(record, Recast) else record.value
        rejected = envelope(original, FieldError(code, "", why), self._decode)
        position = LogPosition(record.topic, self.epoch, record.partition, record.offset)
        letters.append(self._encode_rejected(dead_letter(rejected, SOURCE, int(time.time() * 1000), position)))


def _within(
    chunks: Sequence[Chunk], refused: Sequence[LogRecord], letters: Sequence[bytes]
) -> tuple[list[LogRecord], list[bytes]]:
    """The refused records of these chunks, and their dead letters."""
    kept = {(chunk.partition, record.offset) for chunk in chunks for record in chunk.records}
    pairs = [pair for pair in zip(refused, letters, strict=True) if (pair[0].partition, pair[0].offset) in kept]
    return [record for record, _ in pairs], [letter for _, letter in pairs]


def _entries(
    topic: str,
    epoch: int,
    chunks: Sequence[Chunk],
    refused: Sequence[LogRecord],
    requests: Sequence[LogRecord],
) -> list[Landed]:
    """One ledger entry per run of adjoining chunks of a partition."""
    entries: list[Landed] = []
    for partition in sorted({chunk.partition for chunk in chunks}):
        own = sorted((chunk for chunk in chunks if chunk.partition == partition), key=lambda chunk: chunk.first)
        bad = [record.offset for record in refused if record.partition == partition]
        asked = [record.offset for record in requests if record.partition == partition]
        start = 0
        for end in range(1, len(own) + 1):
            if end == len(own) or own[end].first != own[end - 1].next:
                run = own[start:end]
                first, after = run[0].first, run[-1].next
                rows = sum(record.value is not None for chunk in run for record in chunk.records)
                out = sum(first <= offset < after for offset in bad)
                rows -= out + sum(first <= offset < after for offset in asked)
                entries.append(Landed(topic, epoch, partition, first, after, rows, out, "", *_last_of(run)))
                start = end
    return entries


def _last_of(run: Sequence[Chunk]) -> Check:
    """The last record of adjoining chunks, as the ledger remembers it."""
    last = next((chunk.records[-1] for chunk in reversed(run) if chunk.records), None)
    return NO_CHECK if last is None else check_of(last)
