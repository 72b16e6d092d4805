"""The stitched views on random histories of people and devices, beside plain computations of the same."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

import pytest

from pipeline.identities import Correction, correct
from sinks.clickhouse import Client
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, Span, spans
from tests.integration.identities_world import land, of_person, seen, statuses, stitched
from tests.integration.sinks_server import Server, database
from tests.reference import DAY, HISTORY, MINUTE, Record, Story, comparable

PEOPLE, DEVICES, BURSTS = 30, 45, 400
GAPS_MINUTES = (0.0, 0.2, 5.0, 30.0, 30.0, 30.0 + 1 / MINUTE)
CONTENTS: tuple[Record, ...] = (
    {"name": "web.page_view", "stage": "consideration"},
    {"name": "web.purchase", "outcome": "converted", "value": 19.99, "currency": "EUR", "stage": "purchase"},
    {"name": "web.purchase", "outcome": "failed", "value": 70.07, "currency": "EUR"},
    {"name": "in_store.purchase", "value": 0.29, "currency": "USD", "sentiment": -0.8},
    {"name": "sales.deal_won", "value": 1_000_000.01},
    {"name": "phone.complaint", "outcome": "escalated", "sentiment": -0.87},
    {"name": "helpdesk.ticket_opened", "outcome": "unresolved", "sentiment": -0.36},
    {"name": "email.newsletter", "direction": "outbound", "stage": "loyalty"},
)
Pair = tuple[str, str]


@dataclass(frozen=True)
class World:
    """A server on which a history has landed and corrections were made, and whose each key is by the rule."""

    client: Client
    records: list[Record]
    standing: dict[str, set[str]]
    taken_back: set[Pair]

    def person(self, key: str) -> str:
        """The one customer whose link to the anonymous key stands, else the key."""
        standing = self.standing.get(key.removeprefix("anon:"), set()) if key.startswith("anon:") else set()
        return next(iter(standing)) if len(standing) == 1 else key

    def by_person(self) -> dict[str, list[Record]]:
        """The records of each person, in order of time, under the person's name."""
        found = defaultdict(list)
        for record in sorted(self.records, key=lambda record: record["occurred_at"]):
            person = self.person(record["customer_id"])
            found[person].append({**record, "customer_id": person})
        return found


def history(rng: random.Random) -> list[Record]:
    """Bursts of people on devices, logged in for a while or not; most devices are one person's, some are shared."""
    owners = {device: rng.randrange(PEOPLE) for device in range(DEVICES)}
    found: list[Record] = []
    for _ in range(BURSTS):
        device = rng.randrange(DEVICES)
        owner = owners[device] if device % 9 or rng.random() < 0.5 else rng.randrange(PEOPLE)
        logged_in = device % 4 != 0 and rng.random() < 0.4
        moment = rng.randrange(0, HISTORY - DAY) / MINUTE
        for _ in range(rng.randint(1, 9)):
            who, where = (f"user-{owner}" if logged_in else None), (f"d{device}" if rng.random() < 0.9 else None)
            if who or where:
                found.append(seen(rng.getrandbits(128), moment, who, where, **rng.choice(CONTENTS)))
            moment += rng.choice(GAPS_MINUTES)
    rng.shuffle(found)
    return found


def links_shown(records: list[Record]) -> dict[str, set[str]]:
    """The customers each anonymous id was seen with."""
    found = defaultdict(set)
    for record in records:
        if record["anonymous_id"] and not record["customer_id"].startswith("anon:"):
            found[record["anonymous_id"]].add(record["customer_id"])
    return found


@pytest.fixture(scope="module", params=[1, 2])
async def world(engine: Server, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    rng = random.Random(request.param)
    records = history(rng)
    standing = links_shown(records)
    pairs = sorted((device, customer) for device, customers in standing.items() for customer in customers)
    shared = [pair for pair in pairs if len(standing[pair[0]]) > 1]
    taken_back = set(rng.sample(pairs, 6)) | set(rng.sample(shared, 4))
    asserted = {(f"d{rng.randrange(DEVICES)}", f"user-{rng.randrange(PEOPLE)}") for _ in range(5)} - taken_back
    async with database(engine, "stitched") as client:
        for first in range(0, len(records), 500):
            await land(client, *records[first : first + 500])
        for linked, chosen in ((False, taken_back), (True, asserted)):
            for device, customer in sorted(chosen):
                await correct(client, Correction(device, customer, linked))
        for device, customer in taken_back:
            standing[device].discard(customer)
        for device, customer in asserted:
            standing[device].add(customer)
        yield World(client, records, standing, taken_back)


async def test_links_have_the_status_of_the_rule(world: World) -> None:
    expected = dict.fromkeys(world.taken_back, "taken_back")
    for device, customers in world.standing.items():
        expected.update({(device, who): "active" if len(customers) == 1 else "ambiguous" for who in customers})
    assert await statuses(world.client) == expected
    assert set(expected.values()) == {"active", "ambiguous", "taken_back"}


async def test_visits_and_journeys_are_those_of_a_plain_gap_computation(world: World) -> None:
    clicks = [
        Click(person, datetime.fromtimestamp(record["occurred_at"] / 1000, UTC), record["touchpoint"])
        for person, records in world.by_person().items()
        for record in records
        if record["direction"] == "inbound"
    ]
    for what, gap in (("visits", VISIT_GAP), ("journeys", JOURNEY_GAP)):
        columns = "person_id, started_at, ended_at, touchpoints"
        rows = await stitched(world.client, what, columns)
        found = [Span(person, utc(began), utc(ended), touchpoints) for person, began, ended, touchpoints in rows]
        assert sorted(found) == spans(clicks, gap)


async def test_every_column_and_id_is_that_of_the_reference(world: World) -> None:
    stories = {person: Story(records) for person, records in world.by_person().items()}
    journeys = {key: row for story in stories.values() for key, row in story.journeys().items()}
    assert {key: comparable(row) for key, row in (await shown(world.client, "journeys")).items()} == journeys
    assert await shown(world.client, "visits") == {
        key: {**row, "customer_id": person} for person, story in stories.items() for key, row in story.visits().items()
    }


async def test_one_person_has_the_rows_that_everyone_has(world: World) -> None:
    everyone = defaultdict(list)
    for row in chain(await stitched(world.client, "journeys"), await stitched(world.client, "visits")):
        everyone[row[0]].append(repr(row))
    chosen = sorted({record["customer_id"] for record in world.records})[::6]
    assert {world.person(key) == key for key in chosen} == {True, False}
    for person in chosen:
        alone = [*await of_person(world.client, "journeys", person), *await of_person(world.client, "visits", person)]
        assert list(map(repr, alone)) == everyone[person]


async def test_keys_are_those_whose_touchpoints_are_joined(world: World) -> None:
    keys = {key for row in await stitched(world.client, "journeys", "keys") for key in row[0]}
    assert keys == {record["customer_id"] for record in world.records if record["direction"] == "inbound"}
    rows = await stitched(world.client, "journeys", "person_id, keys")
    assert all(world.person(key) == person for person, joined in rows for key in joined)
    assert any(len(joined) > 2 for _, joined in rows)


def utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


async def shown(client: Client, what: str) -> dict[str, Record]:
    """The rows of a stitched view by id, named and timed as the reference does."""
    left_out = "keys, is_open" if what == "journeys" else "keys"
    columns = [
        name for (name, *_) in await client.query(f"DESCRIBE (SELECT * EXCEPT ({left_out}) FROM stitched_{what})")
    ]
    found = {}
    for row in await stitched(client, what, ", ".join(columns)):
        record = {name: plain(value) for name, value in zip(columns, row, strict=True)}
        record["customer_id"] = record.pop("person_id")
        found[record.pop(f"{what.removesuffix('s')}_id")] = record
    return found


def plain(value: object) -> object:
    """A time as UTC milliseconds, an id as text."""
    if isinstance(value, datetime):
        return round(utc(value).timestamp() * 1000)
    return value if isinstance(value, int | float | str | list | dict | None) else str(value)
