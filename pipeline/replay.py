"""Sends dead letters again after a fix, in two passes, so that they go in order of time whatever the letters' order.

The first pass reads the letters page by page and decides about each (pipeline.letters); what is accepted is sorted, on
disk when it is much. The second sends it, chunk by chunk, and marks a chunk's letters as replayed once Kafka has
acknowledged it. A crash in between sends the chunk again next time, with the same event_ids, so that it counts once.
What is refused again stays as it is: it gives no second dead letter.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from pipeline.backfill_sort import Entry, Sorter
from pipeline.lanes import Message
from pipeline.letters import TOPICS, Letter, Ready, Replayed, Replaying
from pipeline.model import FieldError

ERRORS_SHOWN = 1_000
CHUNK = 500

Progress = Callable[[str, int], None]
"""Called with what is being done (`checking`, `sending`), and to how many letters it has been done."""


@dataclass(frozen=True)
class Unsent:
    """A letter that stays, and its new reason."""

    dead_letter_id: str
    code: str
    path: str
    message: str


@dataclass(frozen=True)
class Reason:
    """How many letters stay for one reason about one field."""

    code: str
    path: str
    letters: int


@dataclass(frozen=True)
class ReplayResult:
    """What became of the letters selected: accepted + refused. `errors` has the first thousand that stay."""

    selected: int
    accepted: int
    refused: int
    sent: int
    reasons: tuple[Reason, ...]
    errors: tuple[Unsent, ...]


class Publishes(Protocol):
    """The part of a Publisher that a replay needs."""

    async def publish(self, topic: str, messages: list[Message]) -> None: ...  # noqa: D102


class Marks(Protocol):
    """The part of DeadLetters that a replay writes to."""

    async def mark(self, replayed: Sequence[Replayed]) -> None: ...  # noqa: D102


def _silent(what: str, done: int) -> None:
    """Tell nobody."""


@dataclass
class Replay:
    """One replay in its two passes: `read`, then `send`; without `send` it is a dry run."""

    sorter: Sorter
    now: int
    decide: Replaying = field(default_factory=Replaying)
    progress: Progress = _silent
    sent: int = 0
    _accepted: int = 0
    _refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    _errors: list[Unsent] = field(default_factory=list)

    async def read(self, pages: AsyncIterable[Sequence[Letter]]) -> None:
        """Decide about every letter, and sort by time what is to be sent."""
        async for page in pages:
            await self.decide.meet_schemas(page)
            for letter in page:
                self._take(letter, self.decide(letter, self.now))
            self.progress("checking", self._accepted + self._refused.total())

    async def send(self, publisher: Publishes, letters: Marks) -> None:
        """Publish what was accepted and mark its letters. Raises UnavailableError; starting again is safe."""
        for entries in _chunks(iter(self.sorter)):
            for topic in TOPICS:
                messages: list[Message] = [(each.key, each.value) for each in entries if _topic_of(each) == topic]
                if messages:
                    await publisher.publish(topic, messages)
            await letters.mark(
                [Replayed(_id_of(each), self.decide.id_of(_topic_of(each), each.value)) for each in entries]
            )
            self.sent += len(entries)
            self.progress("sending", self.sent)

    def result(self) -> ReplayResult:
        """Return what became of the letters so far."""
        refused = self._refused.total()
        reasons = tuple(Reason(*reason, count) for reason, count in self._refused.most_common())
        return ReplayResult(self._accepted + refused, self._accepted, refused, self.sent, reasons, tuple(self._errors))

    def _take(self, letter: Letter, decision: Ready | FieldError) -> None:
        if isinstance(decision, Ready):
            identity = uuid.UUID(letter.dead_letter_id).bytes
            number = TOPICS.index(decision.topic)
            self.sorter.add(Entry(decision.moment, identity, number, decision.key, decision.value))
            self._accepted += 1
            return
        self._refused[decision.code, decision.path] += 1
        if len(self._errors) < ERRORS_SHOWN:
            self._errors.append(Unsent(letter.dead_letter_id, decision.code, decision.path, decision.message))


def _id_of(entry: Entry) -> str:
    """The letter of an entry: it stands where a backfill keeps the digest of a line."""
    return str(uuid.UUID(bytes=entry.digest))


def _topic_of(entry: Entry) -> str:
    """Where an entry goes: its number stands where a backfill keeps a line's."""
    return TOPICS[entry.line]


def _chunks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while chunk := list(islice(entries, CHUNK)):
        yield chunk
