"""Takes history in from a file: two passes, so that it is sent in time order whatever order the file has.

The first pass reads, validates and encodes every line and sorts what is good by time, on disk when it is much;
refused lines become dead letters. The second sends. The same file again, or its lines in another order, sends the
same event_ids again, so it counts once; the same file also has the same import_id.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from pipeline.backfill_readers import Line, read, reader_of
from pipeline.backfill_sort import Entry, Sorter
from pipeline.errors import UsageError
from pipeline.lanes import Message
from pipeline.line_ids import fingerprint, first_event_id, line_event_id
from pipeline.model import FieldError, Record, Rejected, dead_letter, derived_id
from pipeline.privacy import MASKING, Privacy
from pipeline.publisher import Publisher
from pipeline.validation import rejected, validate
from schemas.codec import Decoder, Encoder
from schemas.ids import LOCAL, Ids

SOURCE = "backfill"
ERRORS_SHOWN = 1_000
PATIENCE_SECONDS = 60.0
_CHUNK = 2_000
_BLOCK_BYTES = 1024 * 1024

Progress = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class LineError:
    """Why a line was refused: its first reason."""

    line: int
    code: str
    path: str
    message: str


@dataclass(frozen=True)
class BackfillResult:
    """What became of a file's lines; all accepted ones are in Kafka. `errors` has the first thousand refusals.

    `masked` says by kind how much personal data was masked or hashed.
    """

    lines: int
    accepted: int
    rejected: int
    import_id: str
    errors: tuple[LineError, ...]
    masked: dict[str, int] = field(default_factory=dict)


async def backfill(  # noqa: PLR0913 (all but the first two have names)
    file: Path,
    kafka_url: str,
    *,
    progress: Progress | None = None,
    now: int,
    ids: Ids = LOCAL,
    privacy: Privacy = MASKING,
) -> BackfillResult:
    """Send a file's events and return when Kafka has acknowledged all of them, dead letters included.

    `now` (UTC milliseconds) becomes `received_at`. `privacy` says what becomes of personal data. `progress` is told
    done and total, in units of work. Raises UsageError for a file that cannot be read as a whole, before any of its
    events was sent, and UnavailableError when Kafka stays away; starting again is safe.
    """
    reader_of(file)
    publisher = Publisher(kafka_url, PATIENCE_SECONDS)
    told = progress or _silent
    try:
        with _opened(file) as raw, Sorter() as sorter:
            work = Import(publisher, sorter, import_id_of(raw), now, ids, privacy)
            size = raw.tell()
            raw.seek(0)
            await work.read(read(file, raw), raw.tell, size, told)
            await work.send(size, told)
    finally:
        await publisher.stop()
    return work.result()


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def import_id_of(raw: BinaryIO) -> str:
    """Return the id of an import of these bytes, having read all of them."""
    digest = hashlib.sha256()
    while block := raw.read(_BLOCK_BYTES):
        digest.update(block)
    return derived_id("import", digest.hexdigest())


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


class Publishes(Protocol):
    """The part of a Publisher that an import needs."""

    async def publish(self, topic: str, messages: list[Message]) -> None: ...  # noqa: D102


@dataclass
class Import:
    """One import in its two passes: `read`, then `send`."""

    publisher: Publishes
    sorter: Sorter
    import_id: str
    now: int
    ids: Ids = LOCAL
    privacy: Privacy = MASKING
    lines: int = 0
    accepted: int = 0
    good: int = 0
    rejected: int = 0
    errors: list[LineError] = field(default_factory=list)
    masked: Counter[str] = field(default_factory=Counter)
    touchpoint: Encoder = field(init=False)
    dead_letter: Encoder = field(init=False)

    def __post_init__(self) -> None:
        self.touchpoint = Encoder("touchpoints", self.ids)
        self.dead_letter = Encoder("rejected", self.ids)

    async def read(self, given: Iterator[Line], position: Callable[[], int], size: int, progress: Progress) -> None:
        """Sort the good lines by time and publish the others as dead letters."""
        for lines in _chunks(given):
            letters = [letter for line in lines if (letter := self._take(line)) is not None]
            self.lines += len(lines)
            await self.publisher.publish("rejected", letters)
            self.rejected += len(letters)
            progress(min(position(), size), 2 * size)
            await asyncio.sleep(0)

    async def send(self, size: int, progress: Progress) -> None:
        """Publish what was sorted, one chunk on its way while the next is made ready."""
        sending: asyncio.Task[None] | None = None
        try:
            for messages in _chunks(self._named(iter(self.sorter))):
                if sending is not None:
                    await sending
                sending = asyncio.create_task(self._publish(messages))
                await asyncio.sleep(0)
                progress(size + size * self.accepted // self.good, 2 * size)
            if sending is not None:
                await sending
        finally:
            if sending is not None:
                sending.cancel()
        progress(2 * size, 2 * size)

    def result(self) -> BackfillResult:
        """Return what became of the lines."""
        masked = dict(self.masked)
        return BackfillResult(self.lines, self.accepted, self.rejected, self.import_id, tuple(self.errors), masked)

    async def _publish(self, messages: list[Message]) -> None:
        await self.publisher.publish("touchpoints", messages)
        self.accepted += len(messages)

    def _take(self, line: Line) -> Message | None:
        """Give a good line to the sorter; return the dead letter of another."""
        checked = self._checked(line)
        if not isinstance(checked, Rejected):
            self.sorter.add(checked)
            self.good += 1
            return None
        event_id = checked.event_id or first_event_id(line.event)
        refused = replace(checked, event_id=event_id, import_id=self.import_id, line=line.number)
        if len(self.errors) < ERRORS_SHOWN:
            first = refused.errors[0]
            self.errors.append(LineError(line.number, first.code, first.path, first.message))
        return None, self.dead_letter(dead_letter(refused, SOURCE, self.now))

    def _checked(self, line: Line) -> Entry | Rejected:
        if line.problem is not None:
            return Rejected((line.problem,), line.original or b"")
        record = validate(line.event, self.now, SOURCE, self.import_id, line.original)
        if isinstance(record, Rejected):
            return record
        digest = b"" if line.event.get("event_id") is not None else fingerprint(line.event)
        if digest:
            record["event_id"] = line_event_id(digest, 0)
        try:
            value = self.touchpoint(self.privacy.protect(record, self.masked))
        except (ValueError, TypeError, OverflowError) as error:
            problem = FieldError("encoding", "", f"the event does not fit the contract: {error}")
            return rejected(line.event, (problem,))
        return Entry(record["occurred_at"], digest, line.number, record["customer_id"].encode(), value)

    def _named(self, entries: Iterator[Entry]) -> Iterator[Message]:
        """Give identical lines, which the sorter has put side by side, ids of their own."""
        decode = Decoder("touchpoints", self.ids)
        previous, ordinal = b"", 0
        for entry in entries:
            ordinal = ordinal + 1 if entry.digest and entry.digest == previous else 0
            previous = entry.digest
            if ordinal:
                record: Record = {**decode(entry.value), "event_id": line_event_id(entry.digest, ordinal)}
                yield entry.key, self.touchpoint(record)
            else:
                yield entry.key, entry.value


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, _CHUNK)):
        yield chunk
