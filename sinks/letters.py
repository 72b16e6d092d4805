"""The dead letters in ClickHouse: found by filters, read page by page, and marked as replayed."""

from __future__ import annotations

import uuid
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.letters import Envelope, Letter, Replayed
from sinks import sql
from sinks.clickhouse import Client, Row

PAGE_LETTERS = 1_000
SENT = "sent"
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
_LAST_OF_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_NO_END = 2**62
_REPLAY_COLUMNS = ("dead_letter_id", "replayed_at", "outcome", "event_id")


@dataclass(frozen=True)
class Where:
    """Which dead letters: all that agree with everything that is not None.

    `since` (included) and `until` (not included) bound `rejected_at`, UTC milliseconds. With `ids`, only these.
    """

    code: str | None = None
    source: str | None = None
    topic: str | None = None
    import_id: str | None = None
    since: int | None = None
    until: int | None = None
    replayed: bool | None = None
    ids: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """The parameters of the queries."""
        return {
            "code": self.code,
            "source": self.source,
            "topic": self.topic,
            "import_id": self.import_id,
            "since": self.since or 0,
            "until": _NO_END if self.until is None else self.until,
            "replayed": None if self.replayed is None else int(self.replayed),
            "ids": list(self.ids),
        }


class Pattern(NamedTuple):
    """How many dead letters share a reason, a field and a way in, and when the latest was refused, UTC milliseconds."""

    code: str
    path: str
    source: str
    letters: int
    replayed: int
    latest: int


class DeadLetters:
    """Reads and marks dead letters. Its methods raise UnavailableError when ClickHouse does not answer."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def patterns(self, where: Where, limit: int) -> tuple[int, list[Pattern]]:
        """Return how many letters there are, and their most frequent patterns."""
        rows = await self._ask("rejected_patterns", where, rows=limit)
        return (int(rows[0][-1]) if rows else 0), [Pattern(*row[:-1]) for row in rows]

    async def newest(self, where: Where, limit: int) -> list[Envelope]:
        """Return letters without their originals, the newest first."""
        return [_envelope(row) for row in await self._ask("rejected_newest", where, rows=limit)]

    async def get(self, dead_letter_id: str) -> Letter | None:
        """Return one letter, or None."""
        before = str(uuid.UUID(int=max(0, uuid.UUID(dead_letter_id).int - 1)))
        rows = await self._ask("rejected_page", Where(ids=(dead_letter_id,)), after=before, last=dead_letter_id)
        return _letter(rows[0]) if rows else None

    async def pages(self, where: Where, rows: int = PAGE_LETTERS) -> AsyncIterator[list[Letter]]:
        """Yield the letters in the order of their ids, about so many at a time; lines of imports have ordinals."""
        after, goes_on = _BEFORE_ALL, True
        while goes_on:
            ends = await self._ask("rejected_page_end", where, rows=rows, after=after)
            goes_on = bool(ends)
            last = str(ends[0][0]) if ends else _LAST_OF_ALL
            page = [_letter(row) for row in await self._ask("rejected_page", where, after=after, last=last)]
            ordinals = await self._ordinals(after, last) if any(letter.is_line for letter in page) else {}
            if page:
                yield [replace(letter, ordinal=ordinals.get(letter.dead_letter_id, 0)) for letter in page]
            after = last

    async def mark(self, replayed: Sequence[Replayed]) -> None:
        """Remember that these were sent; again changes nothing but the time."""
        now = datetime.now(UTC)
        rows = [(letter, now, SENT, event) for letter, event in replayed]
        await self._client.insert_rows("replays_log", _REPLAY_COLUMNS, rows)

    async def _ordinals(self, after: str, last: str) -> dict[str, int]:
        rows = await self._client.query(sql.query("rejected_ordinals"), {"after": after, "last": last})
        return {str(letter): int(ordinal) for letter, ordinal in rows}

    async def _ask(self, query: str, where: Where, **more: Any) -> list[Row]:
        return await self._client.query(sql.query(query), {**where.parameters(), **more})


def _letter(row: Row) -> Letter:
    return Letter(**asdict(_envelope(row[:-1])), original=b64decode(row[-1]))


def _envelope(row: Row) -> Envelope:
    return Envelope(str(row[0]), *row[1:])
