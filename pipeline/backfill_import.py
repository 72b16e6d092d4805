"""One import in its two passes: every line checked and sorted by time, then sent and acknowledged."""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from pipeline.backfill_journal import Journal
from pipeline.backfill_readers import Line
from pipeline.backfill_refusals import Refusals
from pipeline.backfill_sort import Entry, Sorter
from pipeline.lanes import Message
from pipeline.line_ids import fingerprint, first_event_id, line_event_id
from pipeline.model import FieldError, Record, Rejected, dead_letter
from pipeline.privacy import MASKING, Privacy
from pipeline.tables.rows import SKIPPED
from pipeline.validation import rejected, validate
from schemas.codec import Decoder, Encoder
from schemas.ids import LOCAL, Ids

SOURCE = "backfill"
ERRORS_SHOWN = 1_000
_CHUNK = 2_000

Progress = Callable[[int, int], None]
Numbered = tuple[int, Message]
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

    lines = accepted + rejected + skipped. Of the accepted ones, `resumed` had been acknowledged to an earlier run.
    `masked` says by kind how much personal data was masked or hashed.
    """

    lines: int
    accepted: int
    rejected: int
    import_id: str
    errors: tuple[LineError, ...]
    skipped: int = 0
    resumed: int = 0
    errors_file: Path | None = None
    masked: dict[str, int] = field(default_factory=dict)


class Publishes(Protocol):
    """The part of a Publisher that an import needs."""

    async def publish(self, topic: str, messages: list[Message]) -> None: ...  # noqa: D102


@dataclass
class Import:
    """One import in its two passes: `read`, then `send`; `resume` in between, where there is a journal."""

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
    skipped: int = 0
    resumed: int = 0
    errors: list[LineError] = field(default_factory=list)
    masked: Counter[str] = field(default_factory=Counter)
    refusals: Refusals | None = None
    journal: Journal | None = None
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

    def resume(self, journal: Journal) -> int:
        """Note in this journal what is sent; return how many an earlier run has sent, which will be passed over."""
        self.journal = journal
        self.resumed = self.accepted = journal.resume(entry.line for entry in self.sorter)
        return self.resumed

    async def send(self, size: int, progress: Progress) -> None:
        """Publish what was sorted, one chunk on its way while the next is made ready."""
        sending: asyncio.Task[None] | None = None
        try:
            for chunk in _chunks(islice(self._named(iter(self.sorter)), self.resumed, None)):
                if sending is not None:
                    await sending
                sending = asyncio.create_task(self._publish(chunk))
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
        return BackfillResult(
            self.lines,
            self.accepted,
            self.rejected,
            self.import_id,
            tuple(self.errors),
            skipped=self.skipped,
            resumed=self.resumed,
            masked=dict(self.masked),
        )

    async def _publish(self, chunk: list[Numbered]) -> None:
        await self.publisher.publish("touchpoints", [message for _, message in chunk])
        self.accepted += len(chunk)
        if self.journal is not None:
            self.journal.acknowledged(array("q", [line for line, _ in chunk]))

    def _take(self, line: Line) -> Message | None:
        """Give a good line to the sorter; return the dead letter of another, unless the mapping leaves it out."""
        if line.event is SKIPPED:
            self.skipped += 1
            return None
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
        if self.refusals is not None:
            self.refusals.add(refused)
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

    def _named(self, entries: Iterator[Entry]) -> Iterator[Numbered]:
        """Give identical lines, which the sorter has put side by side, ids of their own."""
        decode = Decoder("touchpoints", self.ids)
        previous, ordinal = b"", 0
        for entry in entries:
            ordinal = ordinal + 1 if entry.digest and entry.digest == previous else 0
            previous = entry.digest
            if ordinal:
                record: Record = {**decode(entry.value), "event_id": line_event_id(entry.digest, ordinal)}
                yield entry.line, (entry.key, self.touchpoint(record))
            else:
                yield entry.line, (entry.key, entry.value)


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, _CHUNK)):
        yield chunk
