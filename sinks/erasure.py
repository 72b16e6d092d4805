"""Removing a person from ClickHouse, physically: every statement here returns when its mutation has been carried out.

What is theirs, by table:

- touchpoints_log, journeys_log, visits_log, customers_log, risk_log, late_log: rows of a key of theirs, up to the
  position at which it was forgotten; what comes later is of somebody new. Of touchpoints of others that show a device
  of theirs, the device's id;
- alerts_log: rows of a key of theirs raised by then, attempts and orders among them;
- identity_corrections_log: rows of a key or an anonymous id of theirs set by then;
- rebuild_requests: rows of a key of theirs;
- rejected_log: the dead letters that speak of them (`pipeline.mentions`) are blanked: that there were any still counts;
- replays_log: rows of those dead letters.

All other tables name nobody: the ledger has offsets, imports their own ids, and the rest is about the software.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sinks import sql
from sinks.clickhouse import Client
from sinks.migrate import rendered

BY_REVISION = ("journeys_log", "visits_log", "customers_log", "risk_log", "late_log")
_BY_NAME = {
    "alerts_log": "forget_alerts",
    "identity_corrections_log": "forget_corrections",
    "rebuild_requests": "forget_rebuilds",
    "touchpoints_log": "forget_touchpoints",
}
TABLES = (*BY_REVISION, *_BY_NAME)
"""The tables that have rows under a person's key; touchpoints last, from which the keys are known."""
BLANKED = ("rejected_log", "replays_log")
OF_NOBODY = (
    *("catalogue_log", "forget_requests", "forgotten_log", "landing_ledger", "parameters"),
    *("schema_migrations", "withdrawn_imports_log"),
)
"""The tables in which there is nothing of a person; `forget_requests` only while a command is under way."""
_MOST_IDS = 200
"""How many dead letters one statement names: they travel in its URL."""


@dataclass(frozen=True)
class Person:
    """A command's person: by Kafka key, the revision up to which all is forgotten. `requested_at` is UTC ms."""

    forget_id: str
    requested_at: int
    revisions: Mapping[str, int]


class Erasure:
    """Removes persons from one database; on a cluster, from all its servers."""

    def __init__(self, client: Client, cluster: str | None = None) -> None:
        self._client = client
        self._cluster = cluster

    async def keys(self, given: str) -> list[str]:
        """All keys of the person whom a key, known or not, belongs to."""
        return sorted(row[0] for row in await self._client.query(sql.query("forget_keys"), {"key": given}))

    async def unfinished(self, keys: Collection[str]) -> dict[str, list[str]]:
        """By id, the commands that were to forget one of the keys and did not end, with all keys of each."""
        found: dict[str, list[str]] = {}
        rows = await self._client.query(sql.query("forget_unfinished"), {"keys": list(keys)})
        for forget_id, key in rows:
            found.setdefault(str(forget_id), []).append(key)
        return found

    async def begin(self, person: Person) -> None:
        """Write down who is to be forgotten, so that whoever does the same again takes this up."""
        moment = datetime.fromtimestamp(person.requested_at / 1000, UTC)
        rows = [(person.forget_id, key, revision, moment) for key, revision in person.revisions.items()]
        columns = ("forget_id", "customer_id", "revision", "requested_at")
        await self._client.insert_rows("forget_requests", columns, rows)

    async def record(self, person: Person, rows: Sequence[Sequence[Any]]) -> None:
        """Keep what was forgotten: per key its hash, whether later events are refused, what is covered, what went."""
        columns = ("forget_id", "forgotten_at", "customer_hash", "refuse_later", "before", "removed")
        moment = datetime.now(UTC)
        await self._client.insert_rows("forgotten_log", columns, [(person.forget_id, moment, *row) for row in rows])

    async def end(self, forget_id: str) -> None:
        """Drop what was written down by a command."""
        await self._run("forget_drop_request", {"forget_id": forget_id})

    async def counts(self, person: Person) -> dict[str, int]:
        """By table, how many rows there are of the person."""
        parameters = {
            "keys": list(person.revisions),
            "revisions": list(person.revisions.values()),
            "moment": person.requested_at,
        }
        rows = await self._client.query(sql.query("forget_counts"), parameters)
        return {table: int(count) for table, count in sorted(rows)}

    async def remove(self, person: Person) -> None:
        """Remove the person's rows; the keys must have been written down."""
        named = {"forget_id": person.forget_id}
        for table in BY_REVISION:
            await self._run("forget_by_revision", {**named, "table": table})
        await self._run("forget_devices", named)
        for statement in _BY_NAME.values():
            await self._run(statement, named)

    async def candidates(self, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """A page of the dead letters that may speak of the person: id, topic, event id, message and original."""
        return await self._client.query(sql.query("forget_candidates"), asked)

    async def events_of(self, keys: Collection[str], events: Collection[str]) -> set[str]:
        """Which of the events are touchpoints under one of the keys."""
        wanted = list(events)
        found: set[str] = set()
        for first in range(0, len(wanted), _MOST_IDS):
            asked = {"keys": list(keys), "events": wanted[first : first + _MOST_IDS]}
            found.update(row[0] for row in await self._client.query(sql.query("forget_events"), asked))
        return found

    async def blank(self, dead_letters: Sequence[str]) -> None:
        """Leave of these dead letters only that there was one, when and why."""
        for first in range(0, len(dead_letters), _MOST_IDS):
            named = {"dead_letters": list(dead_letters[first : first + _MOST_IDS])}
            await self._run("forget_dead_letters", named)
            await self._run("forget_replays", named)

    async def _run(self, name: str, parameters: Mapping[str, Any]) -> None:
        await self._client.command(rendered(sql.query(name), self._cluster), parameters)
