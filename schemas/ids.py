"""What the schema ids in front of bodies mean to one process: those of its own contracts, and those it meets.

Local ids are fixed by the contracts themselves and need no server; ids of a registry are in `schemas.registered`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from schemas.contracts import IDS_PER_SUBJECT, SUBJECTS, Contract, by_id, latest
from schemas.framing import UndecodableError
from schemas.reading import Reading, reading_of, reading_of_kept


class UnmetSchemaError(LookupError):
    """Nobody has asked yet what this id means: `Ids.meet` does, and then the same again works or is refused."""


class Ids(ABC):
    """The ids that one process writes and reads. Looking up never waits; `meet` may."""

    @abstractmethod
    def own(self, subject: str) -> int:
        """The id of the latest version, which this process writes."""

    @abstractmethod
    def reading(self, subject: str, schema_id: int) -> Reading:
        """How to read the bodies of an id as the subject's latest version.

        Raises UndecodableError with code `schema_id` when they cannot be, and UnmetSchemaError when that is not known.
        """

    @abstractmethod
    async def meet(self, subject: str, values: Iterable[bytes | None]) -> None:
        """Find out about every id in front of these values, so that `reading` knows them all for a while.

        Passes on what asking raises when nobody answers; what was found out till then is kept.
        """


class LocalIds(Ids):
    """The ids of schemas/contracts.py.

    A version above those shipped is looked for in the folder whenever it is met, until it is there: so a worker
    learns of a newer emitter's schema without a restart. It has `<subject>/v<version>.avsc`, as schemas/ has.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        self._folder = folder if folder is not None else files("schemas")
        self._newer: dict[int, Reading] = {}

    def own(self, subject: str) -> int:
        """The id of the latest version."""
        return latest(subject).schema_id

    def reading(self, subject: str, schema_id: int) -> Reading:
        """How to read an id; never raises UnmetSchemaError, since a folder can be asked at once."""
        contract = by_id(schema_id)
        if contract is not None and contract.subject == subject:
            return _kept(schema_id)
        if (reading := self._newer.get(schema_id)) is None:
            reading = self._newer[schema_id] = self._look(subject, schema_id)
        return reading

    async def meet(self, subject: str, values: Iterable[bytes | None]) -> None:
        """Nothing: `reading` asks the folder itself."""

    def _look(self, subject: str, schema_id: int) -> Reading:
        number, version = divmod(schema_id, IDS_PER_SUBJECT)
        if number != SUBJECTS[subject] or version <= latest(subject).version:
            raise UndecodableError("schema_id", f"schema id {schema_id} is not one of {subject}")
        named = f"schema id {schema_id} ({subject} v{version})"
        try:
            return reading_of(subject, json.loads((self._folder / subject / f"v{version}.avsc").read_text("utf-8")))
        except FileNotFoundError as error:
            why = f"{named} is newer than this worker, and not in its folder of schemas"
            raise UndecodableError("schema_id", why) from error
        except (OSError, ValueError) as error:
            raise UndecodableError("schema_id", f"{named}: {error}") from error


@cache
def _kept(schema_id: int) -> Reading:
    contract = by_id(schema_id)
    assert isinstance(contract, Contract)  # noqa: S101 (asked for known ids only)
    return reading_of_kept(contract)


LOCAL = LocalIds()
"""The ids of a process that has neither a registry nor a folder of newer schemas."""
