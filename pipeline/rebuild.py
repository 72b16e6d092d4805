"""Rebuilds customers from all that has landed of them, while the log goes on.

Page by page: mark the beginning in the log of touchpoints; wait until all before it has been applied and has landed;
fold what ClickHouse has of it (`pipeline.rebuilding`); write rows and states into the log in one transaction; wait
until the customers agent has taken them over. What it could not take over (a customer with very much traffic meanwhile)
is tried again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition

from pipeline.customer import Rules, revision_of
from pipeline.errors import UsageError
from pipeline.landed import Place, committed_positions, marks_of, until_past, wait_for
from pipeline.log_reader import LogReader, log_reader
from pipeline.model import Record
from pipeline.rebuilding import Rebuilt, rebuild
from pipeline.requests import Begin, Finish, Request, Rows, dump
from pipeline.state import dump as dump_state
from pipeline.topics import CUSTOMERS_GROUP, epochs, reachable
from sinks import sql
from sinks.clickhouse import Client

PAGE_CUSTOMERS = 2_000
PAGE_TOUCHPOINTS = 100_000
ROUNDS = 5
_WAIT_SECONDS = 120.0
_ROWS_BYTES = 400_000
_TRANSACTION_MS = 10_000
"""A command that dies in a transaction holds its partitions' readers back for no longer than this."""

_OUTPUTS = ("journeys", "customers", "risk", "late")
_decode_row = msgspec.json.Decoder(dict[str, Any]).decode
_measure = msgspec.msgpack.Encoder().encode

Progress = Callable[[int, int], None]
"""Called with how many customers are done, of how many."""


@dataclass(frozen=True)
class Selection:
    """Which customers: those named, those an import touched, those with late touchpoints (of an import), or all."""

    customers: Sequence[str] = ()
    import_id: str | None = None
    late: bool = False
    everyone: bool = False


@dataclass
class Outcome:
    """What a rebuild came to. `unfinished` customers had too much traffic to be taken over."""

    customers: int = 0
    touchpoints: int = 0
    journeys: int = 0
    unfinished: list[str] = field(default_factory=list)


async def rebuild_customers(
    kafka_url: str, clickhouse: Client, selection: Selection, rules: Rules, progress: Progress = lambda *_: None
) -> Outcome:
    """Rebuild the selected customers; return when all of it can be seen in ClickHouse.

    Raises UsageError for a customer nobody knows, UnavailableError when Kafka, ClickHouse or the workers do not answer.
    """
    rebuild_id = str(uuid.uuid4())
    await _select(clickhouse, rebuild_id, selection)
    [(total,)] = await clickhouse.query(sql.query("rebuild_count"), {"rebuild_id": rebuild_id})
    outcome = Outcome()
    if not total:
        return outcome
    async with log_reader(kafka_url) as log, _producer(kafka_url, rebuild_id) as producer:
        work = _Work(kafka_url, clickhouse, log, producer, rebuild_id, rules)
        after = ""
        while page := await work.page(after):
            first, after = after, page[-1]
            await work.rebuild(page, first, outcome)
            progress(outcome.customers + len(outcome.unfinished), total)
    return outcome


async def _select(clickhouse: Client, rebuild_id: str, selection: Selection) -> None:
    """Write down which customers are to be rebuilt."""
    named = {"rebuild_id": rebuild_id, "import_id": selection.import_id or ""}
    if selection.customers:
        wanted = sorted(set(selection.customers))
        known = {row[0] for row in await clickhouse.query(sql.query("known_customers"), {"customers": wanted})}
        if unknown := [customer for customer in wanted if customer not in known]:
            raise UsageError(f"no touchpoint of customer {unknown[0]!r} has landed: look for the id in view customers")
        rows = [(rebuild_id, customer) for customer in wanted]
        await clickhouse.insert_rows("rebuild_requests", ("rebuild_id", "customer_id"), rows)
    elif selection.late:
        await clickhouse.command(sql.query("rebuild_select_late"), named)
    elif selection.import_id is not None:
        await clickhouse.command(sql.query("rebuild_select_import"), named)
    elif selection.everyone:
        await clickhouse.command(sql.query("rebuild_select_all"), named)


@asynccontextmanager
async def _producer(kafka_url: str, rebuild_id: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_url,
        acks="all",
        transactional_id=f"touchline-rebuild-{rebuild_id}",
        transaction_timeout_ms=_TRANSACTION_MS,
        max_batch_size=256 * 1024,
        linger_ms=5,
    )
    async with reachable(kafka_url):
        await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@dataclass
class _Work:
    """One rebuild under way."""

    kafka_url: str
    clickhouse: Client
    log: LogReader
    producer: AIOKafkaProducer
    rebuild_id: str
    rules: Rules

    async def page(self, after: str) -> list[str]:
        """The next customers, in the order of their ids: as many as PAGE_TOUCHPOINTS allow, at least one."""
        parameters = {"rebuild_id": self.rebuild_id, "after": after, "customers": PAGE_CUSTOMERS}
        found: list[str] = []
        touchpoints = 0
        for customer, count in await self.clickhouse.query(sql.query("rebuild_page"), parameters):
            touchpoints += count
            if found and touchpoints > PAGE_TOUCHPOINTS:
                break
            found.append(customer)
        return found

    async def rebuild(self, page: Sequence[str], after: str, outcome: Outcome) -> None:
        """Rebuild a page, again for those customers that could not be taken over the first time."""
        left = list(page)
        for _ in range(ROUNDS):
            begun, made = await self._round(left, {"rebuild_id": self.rebuild_id, "after": after, "last": page[-1]})
            parameters = {"rebuild_id": self.rebuild_id, "after": after, "last": page[-1]}
            done: dict[str, int] = dict(await self.clickhouse.query(sql.query("rebuild_done"), parameters))
            finished = [customer for customer in left if done.get(customer, -1) >= begun[customer]]
            outcome.customers += len(finished)
            outcome.touchpoints += sum(made[customer].touchpoints for customer in finished)
            outcome.journeys += sum(_live_journeys(made[customer]) for customer in finished)
            left = [customer for customer in left if done.get(customer, -1) < begun[customer]]
            if not left:
                return
        outcome.unfinished += left

    async def _round(
        self, customers: Sequence[str], page: Mapping[str, str]
    ) -> tuple[dict[str, int], dict[str, Rebuilt]]:
        """Rebuild customers once; the revision at which each began, and what each came to."""
        epoch = (await epochs(self.kafka_url))["touchpoints"]
        now = int(time.time() * 1000)
        begin = dump(Begin(self.rebuild_id, now, epoch))
        places = dict(zip(customers, await self._write([(c, [begin]) for c in customers]), strict=True))
        await self._applied([*places.values()], epoch)
        await self._landed(places.values(), epoch)
        records = await self._records(page, {customer: (epoch, offset) for customer, (_, offset) in places.items()})
        journeys, visits = await self._known(page)
        made = {
            customer: rebuild(
                customer,
                records.pop(customer, []),
                self.rules,
                now=now,
                old_journeys=journeys.get(customer, set()),
                old_visits=visits.get(customer, set()),
            )
            for customer in customers
        }
        written = [(customer, [dump(request) for request in self._requests(made[customer])]) for customer in customers]
        places_after = await self._write(written)
        await self._applied(places_after, epoch)
        outputs = await self.log.spans(_OUTPUTS)
        marks = marks_of(self.clickhouse, await epochs(self.kafka_url), _OUTPUTS)
        await wait_for(self.log, outputs, marks, time.monotonic() + _WAIT_SECONDS)
        return {customer: revision_of(epoch, offset) for customer, (_, offset) in places.items()}, made

    def _requests(self, made: Rebuilt) -> list[Request]:
        """What the agent is asked for: to publish the rows, a record of Kafka full at a time, and to take over."""
        requests: list[Request] = []
        rows: list[Record] = []
        size = 0
        for row in made.journeys:
            length = len(_measure(row))
            if rows and size + length > _ROWS_BYTES:
                requests.append(Rows(self.rebuild_id, rows))
                rows, size = [], 0
            rows.append(row)
            size += length
        if rows:
            requests.append(Rows(self.rebuild_id, rows))
        state = dump_state(made.state) if made.state is not None else b""
        return [*requests, Finish(self.rebuild_id, state, int(time.time() * 1000))]

    async def _write(self, written: Sequence[tuple[str, Sequence[bytes]]]) -> list[Place]:
        """Write each customer's requests, all in one transaction; the place of each one's last."""
        async with reachable(self.kafka_url), self.producer.transaction():
            sent = []
            for customer, values in written:
                for value in values:
                    future = await self.producer.send("touchpoints", value, key=customer.encode())
                sent.append(future)
            places = [await future for future in sent]
        return [(TopicPartition("touchpoints", place.partition), place.offset) for place in places]

    async def _applied(self, places: Sequence[Place], epoch: int) -> None:
        partitions = {tp for tp, _ in places}
        await until_past(places, committed_positions(self.kafka_url, CUSTOMERS_GROUP, partitions, epoch))

    async def _landed(self, places: Iterable[Place], epoch: int) -> None:
        """Wait until the touchpoints before the places have landed, and all that was published of them."""
        await until_past(places, marks_of(self.clickhouse, {"touchpoints": epoch}, ["touchpoints"]))
        spans = await self.log.spans(["journeys"])
        marks = marks_of(self.clickhouse, await epochs(self.kafka_url), ["journeys"])
        await wait_for(self.log, spans, marks, time.monotonic() + _WAIT_SECONDS)

    async def _records(self, page: Mapping[str, str], begun: Mapping[str, tuple[int, int]]) -> dict[str, list[Record]]:
        """What has landed of the customers and stands in the log before their rebuild began."""
        body = await self.clickhouse.raw(sql.query("rebuild_touchpoints"), page, fmt="JSONEachRow")
        found: dict[str, list[Record]] = {}
        for line in BytesIO(body):
            record = _decode_row(line)
            began = begun.get(record["customer_id"])
            if began is not None and (record["kafka_epoch"], record["kafka_offset"]) < began:
                found.setdefault(record["customer_id"], []).append(record)
        return found

    async def _known(self, page: Mapping[str, str]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """The ids of the customers' live journeys and visits."""
        found: dict[str, dict[str, set[str]]] = {"journey": {}, "visit": {}}
        for customer, kind, identity in await self.clickhouse.query(sql.query("rebuild_known"), page):
            found[kind].setdefault(customer, set()).add(identity)
        return found["journey"], found["visit"]


def _live_journeys(made: Rebuilt) -> int:
    return len({row["journey_id"] for row in made.journeys if not row["withdrawn"]})
