"""What the tests of the questions' views share: a small company written down, landed as the product would land it.

Journeys, customers and risk come from the real pure core, fed in the order in which the log holds the touchpoints; all
lands as Avro blocks. `arrangements` are the ways in which one company may come in: each view must answer them alike.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any

from agents.rebuilds import Turn
from pipeline.catalogue import catalogue
from pipeline.customer import Folded, Rules, Touch, fold, touch_of
from pipeline.rebuilding import rebuild
from pipeline.requests import Begin, Finish, Rows
from pipeline.settings import Settings
from pipeline.state import State, dump
from sinks.clickhouse import Client, connect
from sinks.migrate import migrate
from tests.integration.sinks_samples import EPOCH, Sample, block, touchpoint, uid, values

Log = list[list[Sample]]
"""Touchpoints in the order of the log, in the chunks in which they come in."""


def moment(text: str) -> int:
    """A time such as `2026-03-02 09:30`, UTC, as milliseconds."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def touch(customer_id: str, when: str, what: str, **fields: Any) -> Sample:
    """A touchpoint as the edge makes it: `what` is `channel.touchpoint`, stage and direction are the catalogue's.

    The same customer, time and name is the same event, unless `event_id` says otherwise. It arrived a second after it
    happened.
    """
    channel, _, name = what.partition(".")
    defaults = catalogue().channels[channel].defaults(name)
    assert defaults is not None, what
    plain: Sample = {"value": None, "currency": None, "duration_ms": None, "reference": None, "campaign": None}
    known = {"channel": channel, "touchpoint": name, "stage": defaults.stage, "direction": defaults.direction}
    times = {"occurred_at": moment(when), "received_at": moment(when) + 1000}
    ids = {"event_id": uid(customer_id, when, what), "customer_id": customer_id, "attributes": {}}
    return touchpoint(0, **{**plain, **known, **times, **ids, **fields})


class World:
    """A migrated, empty database and a customers agent's states: what lands is folded as the agent would fold it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.records: list[Sample] = []
        self._rules = Rules.of(Settings())
        self._states: dict[str, State | None] = {}
        self._offsets = count()

    async def land(self, records: Sequence[Sample]) -> None:
        """Land touchpoints as one chunk of the log, and what the customers agent makes of them."""
        first = next(self._offsets)
        self._offsets = count(first + len(records))
        self.records += records
        await self.client.insert_avro(
            "touchpoints_log", block("touchpoints", values("touchpoints", records, first)), ""
        )
        by_customer: dict[str, list[Touch]] = {}
        for offset, record in enumerate(records, first):
            by_customer.setdefault(record["customer_id"], []).append(touch_of(offset, record))
        for customer_id, touches in by_customer.items():
            folded = fold(customer_id, self._states.get(customer_id), EPOCH, touches, self._rules)
            if folded is not None:
                self._states[customer_id] = folded.state
                await self._publish(folded)

    async def withdraw(self, import_id: str) -> None:
        """Withdraw an import as `touchline imports withdraw` does: its customers are folded anew without it."""
        await self.client.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [(import_id, True)])
        touched = {record["customer_id"] for record in self.records if record["import_id"] == import_id}
        self.records = [record for record in self.records if record["import_id"] != import_id]
        for customer_id in sorted(touched):
            await self.rebuild(customer_id)

    async def rebuild(self, customer_id: str) -> None:
        """Fold a customer anew from all that has landed, so that nothing of theirs is late."""
        mine = [record for record in self.records if record["customer_id"] == customer_id]
        old = {what: await self._ids(what, customer_id) for what in ("journey", "visit")}
        made = rebuild(customer_id, mine, self._rules, old_journeys=old["journey"], old_visits=old["visit"])
        turn = Turn(customer_id, self._states[customer_id], None, epoch=EPOCH, rules=self._rules, touch_of=_none_held)
        now = max((record["received_at"] for record in mine), default=0)
        state = dump(made.state) if made.state is not None else b""
        turn.request(next(self._offsets), Begin("rebuild", now, EPOCH))
        turn.request(next(self._offsets), Rows("rebuild", made.journeys))
        turn.request(next(self._offsets), Finish("rebuild", state, now))
        self._states[customer_id] = turn.state
        await self._land("journeys", turn.journeys)
        for folded in turn.folds:
            await self._publish(folded)

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, as somebody who may only read gets them."""
        return await self.client.query(f"{query} SETTINGS readonly = 1")

    async def _publish(self, folded: Folded) -> None:
        await self._land("journeys", folded.journeys)
        await self._land("customers", [folded.customer] if folded.customer is not None else [])
        await self._land("risk", folded.risk)
        await self._land("late", folded.late)

    async def _land(self, topic: str, rows: Sequence[Sample]) -> None:
        if rows:
            records = values(topic, rows, next(self._offsets))
            await self.client.insert_avro(f"{topic}_log", block(topic, records), "")

    async def _ids(self, what: str, customer_id: str) -> set[str]:
        asked = f"SELECT toString({what}_id) FROM {what}s WHERE customer_id = {{who:String}}"
        return {str(found) for (found,) in await self.client.query(asked, {"who": customer_id})}


def _none_held(offset: int, value: bytes) -> Touch:
    raise AssertionError(f"nothing came in while the rebuild was under way, yet {offset} did: {value!r}")


@asynccontextmanager
async def world(server: tuple[str, str], name: str, log: Log) -> AsyncIterator[World]:
    """A database of this name on the server (`sinks_server.clickhouse`), where the log has landed chunk by chunk."""
    async with await connect(server[0], "default", server[1], name) as client:
        await migrate(client, Settings())
        found = World(client)
        for chunk in log:
            await found.land(chunk)
        yield found


def in_order(records: Sequence[Sample]) -> Log:
    """One chunk, in order of time."""
    return [sorted(records, key=lambda record: record["occurred_at"])]


def twice(records: Sequence[Sample]) -> Log:
    """In order, and everything again, saying something else about money: the first in the log wins."""
    again = [{**record, "value": 9999.0, "currency": "XXX"} for record in records]
    return [*in_order(records), *in_order(again)]


def shuffled(records: Sequence[Sample]) -> Log:
    """In no order, in chunks of seven, with every third touchpoint coming again in another chunk."""
    mixed = [*records, *records[::3]]
    random.Random(6).shuffle(mixed)
    return list(_chunks(mixed, 7))


def late(records: Sequence[Sample]) -> Log:
    """The newest first, so that journeys are opened from behind, renamed, bridged and taken back on the way."""
    newest_first = sorted(records, key=lambda record: record["occurred_at"], reverse=True)
    return list(_chunks(newest_first, 3))


def _chunks(records: Sequence[Sample], size: int) -> Iterator[list[Sample]]:
    for first in range(0, len(records), size):
        yield list(records[first : first + size])


arrangements: tuple[Callable[[Sequence[Sample]], Log], ...] = (in_order, twice, shuffled, late)
"""All touchpoints of one customer must lie within 90 days, or the last two find some of them too late."""
