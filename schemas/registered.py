"""The ids of a schema registry: asked for once, when they are first met."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from schemas.contracts import Avro, latest
from schemas.framing import HEADER_BYTES, UndecodableError, schema_id_of
from schemas.ids import LOCAL, Ids, UnmetSchemaError
from schemas.reading import Reading, reading_of, reading_of_kept

ABSENT_SECONDS = 60.0
"""How long "there is no such id" is believed: the id may be given out later."""

_AT_ONCE = 16


class Source(Protocol):
    """Who knows the schemas."""

    async def schema(self, schema_id: int) -> Avro | None:
        """The schema of an id, or None when there is no such id. Raises when nobody can say."""


class RegisteredIds(Ids):
    """Ids as a registry gives them out. What an id means never changes there, so it is asked for once.

    An id that the registry does not have may be a local one, of the time before there was a registry.
    """

    def __init__(self, source: Source, own: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._own = own
        self._clock = clock
        self._known: dict[tuple[str, int], Reading | str] = {
            (subject, schema_id): reading_of_kept(latest(subject)) for subject, schema_id in own.items()
        }
        self._absent: dict[int, float] = {}

    def own(self, subject: str) -> int:
        """The id that the latest version was registered under. Raises KeyError for a process that only reads."""
        return self._own[subject]

    def reading(self, subject: str, schema_id: int) -> Reading:
        """How to read an id, if it has been met."""
        known = self._known.get((subject, schema_id))
        if isinstance(known, Reading):
            return known
        if known is not None:
            raise UndecodableError("schema_id", f"schema id {schema_id}: {known}")
        if self._absent.get(schema_id, 0.0) <= self._clock():
            raise UnmetSchemaError(schema_id)
        raise UndecodableError("schema_id", f"schema id {schema_id} is not in the registry")

    async def meet(self, subject: str, values: Iterable[bytes | None]) -> None:
        """Ask the registry for every id not met yet."""
        framings = sorted({value[:HEADER_BYTES] for value in values if value is not None})
        while unmet := self._unmet(subject, framings):
            for start in range(0, len(unmet), _AT_ONCE):
                await asyncio.gather(*(self._ask(subject, schema_id) for schema_id in unmet[start : start + _AT_ONCE]))

    def _unmet(self, subject: str, framings: Iterable[bytes]) -> list[int]:
        """The ids not known, or known as absent for so short a time that they might be forgotten before their use."""
        soon = self._clock() + ABSENT_SECONDS / 2
        found = []
        for framing in framings:
            with suppress(UndecodableError):
                schema_id = schema_id_of(framing)
                if (subject, schema_id) not in self._known and self._absent.get(schema_id, 0.0) <= soon:
                    found.append(schema_id)
        return found

    async def _ask(self, subject: str, schema_id: int) -> None:
        schema = await self._source.schema(schema_id)
        try:
            self._known[subject, schema_id] = (
                LOCAL.reading(subject, schema_id) if schema is None else reading_of(subject, schema)
            )
        except UndecodableError as error:
            if schema is None:
                self._forget_old()
                self._absent[schema_id] = self._clock() + ABSENT_SECONDS
            else:
                self._known[subject, schema_id] = str(error)

    def _forget_old(self) -> None:
        now = self._clock()
        self._absent = {schema_id: until for schema_id, until in self._absent.items() if until > now}
