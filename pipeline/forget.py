"""Forgets a person: from the states and the compacted topics, from ClickHouse, and, on request, for all time.

In this order, so that nothing which is still under way brings anything back:

1. One request per key of the person goes into the log of touchpoints, behind all that is known of them. The customers
   agent drops the state with tombstones, and hands the request on through `risk` and `alerts` to whoever decides about
   alerts and delivers them (`pipeline.requests.Forget`). From here on no rebuild of the person begins.
2. Once every agent has passed the requests, and all that stood before them has landed, the rows go from ClickHouse
   (`sinks.erasure`), again and again until none is found any more.
3. The hashes of the keys are written down with what they cover of the logs, for replays, audits and later events.

Killed at any point, the same command again comes to the same end.
"""

from __future__ import annotations

import time
import uuid
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from pipeline import forgotten_log
from pipeline.customer import revision_of
from pipeline.errors import ConfigurationError, UsageError
from pipeline.forgotten import Entry, hash_of
from pipeline.identities import ID_LENGTH
from pipeline.landed import LANDED_NAMES, Place, committed_positions, marks_of, until_past, wait_for
from pipeline.log_reader import LogReader, log_reader
from pipeline.mentions import Mentions
from pipeline.model import ANONYMOUS_PREFIX
from pipeline.remains import values_left
from pipeline.requests import Forget, Forgotten, Request, dump
from pipeline.retention import let_go_by
from pipeline.topics import ALERTS_GROUP, ALL, CUSTOMERS_GROUP, FORGOTTEN, LANDED, epochs, reachable
from schemas.codec import Decoder
from schemas.ids import LOCAL, Ids
from sinks.clickhouse import Client
from sinks.erasure import Erasure, Person

_ROUNDS = 5
_WAIT_SECONDS = 120.0
_PAGE = 200
_ZERO_ID = str(uuid.UUID(int=0))
_EVERYTHING = (1 << 63) - 1
KEYED = tuple(topic.name for topic in LANDED if topic.keyed)
_WHO = "forgetting"

Where = tuple[int, int, int]
"""Epoch, partition and position."""


@dataclass(frozen=True)
class Wanted:
    """Whom to forget and how; `secret` and the two that make ids of addresses are the installation's settings."""

    customer: str
    refuse_later: bool = False
    secret: str = ""
    identity_key: str = ""
    region: str | None = None
    cluster: str | None = None

    def check(self) -> None:
        """Raise UsageError or ConfigurationError for what cannot be done."""
        if not 1 <= len(self.customer) <= ID_LENGTH + len(ANONYMOUS_PREFIX):
            raise UsageError(f"CUSTOMER must have 1 to {ID_LENGTH} characters")
        if not self.secret:
            raise ConfigurationError(
                "TOUCHLINE_FORGET_KEY is not set: give the collector, the workers and this command one secret, "
                "under which forgotten customers are known again"
            )


@dataclass
class Outcome:
    """What it came to. `removed` and `left` count rows by table, `states` the keys that hold a value by topic.

    `kept_until` says by topic when the last of what it still holds will be gone; None: never, as it is set up.
    """

    forget_id: str
    keys: int
    dry_run: bool
    refuse_later: bool
    removed: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    kept_until: dict[str, datetime | None] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is left where nothing should be."""
        return self.dry_run or not (any(self.left.values()) or any(self.states.values()))


async def look(kafka_url: str, clickhouse: Client, wanted: Wanted, ids: Ids = LOCAL) -> Outcome:
    """Count what there is of a person, and change nothing."""
    wanted.check()
    erasure = Erasure(clickhouse, wanted.cluster)
    keys = await erasure.keys(wanted.customer)
    moment = _now()
    person = Person(str(uuid.uuid4()), moment, dict.fromkeys(keys, _EVERYTHING))
    outcome = Outcome(person.forget_id, len(keys), dry_run=True, refuse_later=wanted.refuse_later)
    letters = await dead_letters(erasure, keys, wanted, ids)
    outcome.removed = {**await erasure.counts(person), "rejected_log": len(letters)}
    async with log_reader(kafka_url) as log:
        partitions = {tp.partition for tp in await log.spans(["touchpoints"])}
    outcome.states = await values_left(kafka_url, person, partitions, ids)
    outcome.kept_until = await _kept_until(kafka_url)
    return outcome


async def forget(kafka_url: str, clickhouse: Client, wanted: Wanted, ids: Ids = LOCAL) -> Outcome:
    """Forget a person; return when ClickHouse, the states and the compacted topics have nothing of theirs any more.

    Raises UsageError and ConfigurationError for what cannot be done, UnavailableError when Kafka, ClickHouse or the
    workers do not answer; then do the same again.
    """
    wanted.check()
    erasure = Erasure(clickhouse, wanted.cluster)
    async with log_reader(kafka_url) as log:
        work = _Work(kafka_url, clickhouse, log, erasure, wanted, ids)
        return await work.forget()


async def dead_letters(erasure: Erasure, keys: Sequence[str], wanted: Wanted, ids: Ids = LOCAL) -> list[str]:
    """The ids of the dead letters that speak of the person, of those that still say anything."""
    mentions = Mentions(keys, wanted.identity_key, wanted.region)
    decoders = {topic: Decoder(topic, ids) for topic in LANDED_NAMES}
    asked: dict[str, Any] = {
        "keys": list(keys),
        "needles": mentions.needles,
        "everything": mentions.by_address,
        "rows": _PAGE,
        "after": _ZERO_ID,
    }
    found: list[str] = []
    while page := await erasure.candidates(asked):
        own = await erasure.events_of(keys, {row[2] for row in page if row[2]})
        for dead_letter_id, topic, event_id, message, original in page:
            speaks = mentions.in_original(b64decode(original), decoders.get(topic))
            if event_id in own or speaks or mentions.in_text(message):
                found.append(str(dead_letter_id))
        asked["after"] = str(page[-1][0])
    return found


@dataclass
class _Work:
    """One person's forgetting under way."""

    kafka_url: str
    clickhouse: Client
    log: LogReader
    erasure: Erasure
    wanted: Wanted
    ids: Ids

    async def forget(self) -> Outcome:
        """All steps in their order."""
        keys = await self.erasure.keys(self.wanted.customer)
        unfinished = await self.erasure.unfinished(keys)
        keys = sorted({*keys, *(key for each in unfinished.values() for key in each)})
        outcome = Outcome(str(uuid.uuid4()), len(keys), dry_run=False, refuse_later=self.wanted.refuse_later)
        known = await epochs(self.kafka_url)
        moment = _now()
        if self.wanted.refuse_later:  # the edge need not wait for the rest
            await self._write_down({key: Entry(moment, refuse=True) for key in keys})
        places = await self._ask({key: self._request(outcome.forget_id, key, moment) for key in keys})
        await self._passed(places, known)
        covered = await self._covered(places, known)
        person = Person(
            outcome.forget_id,
            moment,
            {key: revision_of(known["touchpoints"], offset) for key, (_, offset) in places.items()},
        )
        await self.erasure.begin(person)
        await self._remove(person, outcome, known)
        ended = await self._ask({key: Forgotten(outcome.forget_id, self._hash(key)) for key in keys})
        await self._applied(ended, known)
        await self._finish(person, covered, outcome, unfinished)
        partitions = {tp.partition for tp, _ in places.values()}
        outcome.states = await values_left(self.kafka_url, person, partitions, self.ids)
        outcome.kept_until = await _kept_until(self.kafka_url)
        return outcome

    async def _finish(
        self, person: Person, covered: Mapping[str, Mapping[str, Where]], outcome: Outcome, unfinished: Iterable[str]
    ) -> None:
        """Write down what was forgotten, by the hashes of the keys, and drop what named them."""
        refused = {key: found is not None and found.refuse for key, found in (await self._entries(covered)).items()}
        entries = {
            key: Entry(
                person.requested_at,
                refuse=self.wanted.refuse_later or refused[key],
                before={topic: (epoch, position) for topic, (epoch, _, position) in where.items()},
            )
            for key, where in covered.items()
        }
        await self._write_down(entries)
        rows = [
            (self._hash(key).hex(), entry.refuse, dict(covered[key]), outcome.removed) for key, entry in entries.items()
        ]
        await self.erasure.record(person, rows)
        for forget_id in (person.forget_id, *unfinished):
            await self.erasure.end(forget_id)

    async def _entries(self, keys: Iterable[str]) -> dict[str, Entry | None]:
        known = await forgotten_log.entries(self.kafka_url)
        return {key: known.get(self._hash(key)) for key in keys}

    def _hash(self, key: str) -> bytes:
        return hash_of(self.wanted.secret, key.encode())

    def _request(self, forget_id: str, key: str, moment: int) -> Request:
        return Forget(forget_id, moment, self._hash(key), self.wanted.refuse_later)

    async def _write_down(self, entries: Mapping[str, Entry]) -> None:
        await forgotten_log.write(self.kafka_url, {self._hash(key): entry for key, entry in entries.items()})

    async def _ask(self, asked: Mapping[str, Request]) -> dict[str, Place]:
        """Write the requests into the log of touchpoints; by key, where each came to stand."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka_url, acks="all", enable_idempotence=True)
        places: dict[str, Place] = {}
        try:
            async with reachable(self.kafka_url):
                await producer.start()
                for key, request in asked.items():
                    sent = await producer.send_and_wait("touchpoints", dump(request), key.encode())
                    places[key] = TopicPartition("touchpoints", sent.partition), sent.offset
        finally:
            await producer.stop()
        return places

    async def _applied(self, places: Mapping[str, Place], known: Mapping[str, int]) -> None:
        """Wait until the customers agent has done what was asked for at these places."""
        partitions = {tp for tp, _ in places.values()}
        applied = committed_positions(self.kafka_url, CUSTOMERS_GROUP, partitions, known["touchpoints"])
        await until_past(places.values(), applied, _WHO)

    async def _passed(self, places: Mapping[str, Place], known: Mapping[str, int]) -> None:
        """Wait until the requests have gone from `touchpoints` through `risk` to `alerts`, past every agent."""
        await self._applied(places, known)
        numbers = {tp.partition for tp, _ in places.values()}
        for topic in ("risk", "alerts"):
            spans = {tp: span for tp, span in (await self.log.spans([topic])).items() if tp.partition in numbers}
            ends = [(tp, span.end - 2) for tp, span in spans.items()]  # a transaction's marker is no record to pass
            what = "seen by the alerts worker"
            seen = committed_positions(self.kafka_url, ALERTS_GROUP, list(spans), known[topic], what)
            await until_past(ends, seen, _WHO)

    async def _covered(self, places: Mapping[str, Place], known: Mapping[str, int]) -> dict[str, dict[str, Where]]:
        """By key and topic: the epoch, the partition and the position before which all under the key is forgotten."""
        spans = await self.log.spans(KEYED)
        found: dict[str, dict[str, Where]] = {}
        for key, (tp, offset) in places.items():
            ends = {each.topic: span.end for each, span in spans.items() if each.partition == tp.partition}
            ends["touchpoints"] = offset + 1
            found[key] = {topic: (known[topic], tp.partition, end) for topic, end in sorted(ends.items())}
        return found

    async def _landed(self, known: Mapping[str, int]) -> None:
        """Wait until all that the topics hold now has landed; then the dead letters that landing itself has made."""
        for topics in (LANDED_NAMES, ("rejected",)):
            spans = await self.log.spans(topics)
            marks = marks_of(self.clickhouse, known, topics)
            await wait_for(self.log, spans, marks, time.monotonic() + _WAIT_SECONDS)

    async def _remove(self, person: Person, outcome: Outcome, known: Mapping[str, int]) -> None:
        """Remove what has landed until nothing of the person is found: what is on its way may land meanwhile."""
        for _ in range(_ROUNDS):
            await self._landed(known)
            letters = await dead_letters(self.erasure, list(person.revisions), self.wanted, self.ids)
            outcome.left = {**await self.erasure.counts(person), "rejected_log": len(letters)}
            for table, count in outcome.left.items():
                outcome.removed[table] = outcome.removed.get(table, 0) + count
            if not any(outcome.left.values()):
                return
            await self.erasure.blank(letters)
            await self.erasure.remove(person)
        outcome.left = await self.erasure.counts(person)


async def _kept_until(kafka_url: str) -> dict[str, datetime | None]:
    return await let_go_by(kafka_url, [topic.name for topic in ALL if topic.name != FORGOTTEN], datetime.now(UTC))


def _now() -> int:
    return int(time.time() * 1000)
