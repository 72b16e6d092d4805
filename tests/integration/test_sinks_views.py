"""The views on a small company whose answers are worked out by hand, with every row landed twice."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.catalogue import catalogue
from sinks import sql
from sinks.clickhouse import Client
from tests.integration.sinks_samples import (
    DAY,
    REASON,
    START,
    Sample,
    alert,
    block,
    customer,
    journey,
    late,
    rejected,
    risk,
    touchpoint,
    uid,
    values,
    visit,
)
from tests.integration.sinks_server import Server, database

HOUR = 3_600_000
NOW = int(time.time() * 1000)


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def touch(number: int, customer_id: str, hours: float, channel: str, name: str, **fields: Any) -> Sample:
    defaults = catalogue().channels[channel].defaults(name)
    assert defaults is not None
    plain = {"value": None, "currency": None, "campaign": None, "stage": defaults.stage}
    where = {"channel": channel, "touchpoint": name, "direction": defaults.direction}
    when = {"occurred_at": START + round(hours * HOUR)}
    return touchpoint(number, customer_id=customer_id, **{**plain, **where, **when, **fields})


TOUCHPOINTS = [
    touch(0, "ann", 0, "web", "landing_page", anonymous_id="device-1"),
    touch(1, "ann", 1, "web", "purchase", outcome="converted", value=100.0, currency="EUR", sentiment=0.5),
    touch(2, "ann", 2, "phone", "complaint", outcome="unresolved", sentiment=-0.7, wait_ms=60_000),
    touch(3, "ann", 3, "email", "newsletter"),
    touch(4, "ann", 4, "phone", "inquiry", outcome="resolved", sentiment=0.2, wait_ms=30_000, anonymous_id="device-1"),
    touch(5, "bob", 0, "web", "landing_page", anonymous_id="device-1"),
    touch(6, "bob", 5, "web", "purchase", outcome="converted", value=50.0, currency="USD"),
    touch(7, "anon:device-2", 0, "web", "landing_page", anonymous_id="device-2"),
    touch(8, "anon:device-2", 1, "web", "x_quiz"),
    # The same event again, later in the log and saying something else: the first wins.
    touch(1, "ann", 1, "in_store", "purchase", value=999.0, currency="EUR"),
    # The same event id under another customer is another event.
    touch(1, "bob", 6, "web", "purchase", value=25.0, currency="USD"),
    # 90 days to the hour is in time; an hour more is too late. Neither makes the next one late.
    touch(9, "bob", 6 - 90 * 24, "web", "search"),
    touch(10, "bob", 5 - 90 * 24, "web", "search"),
    touch(11, "bob", 7, "web", "search"),
]

JOURNEYS = [
    journey(1, customer_id="ann", revision=1, channels=["web"], first_channel="web", last_channel="web"),
    # Bridged by a late touchpoint: absorbed into journey 3, which takes its visit over.
    journey(1, customer_id="ann", revision=5, withdrawn=True, changed_visits=[visit(1, withdrawn=True)]),
    journey(2, customer_id="ann", revision=2, changed_visits=[visit(2)]),
    journey(2, customer_id="ann", revision=5, withdrawn=True, changed_visits=[visit(2, withdrawn=True)]),
    journey(
        3,
        customer_id="ann",
        revision=5,
        started_at=START,
        ended_at=START + 4 * HOUR,
        channels=["phone", "web"],
        first_channel="web",
        last_channel="phone",
        converted_at=START + HOUR,
        changed_visits=[visit(1, touchpoints=3), visit(3)],
    ),
    # An older revision that arrives late changes nothing.
    journey(3, customer_id="ann", revision=4, last_channel="web", changed_visits=[visit(3, touchpoints=99)]),
    journey(4, customer_id="bob", started_at=NOW - DAY, ended_at=NOW - 13 * DAY, changed_visits=[]),
    journey(5, customer_id="bob", started_at=NOW - 20 * DAY, ended_at=NOW - 15 * DAY, changed_visits=[]),
]

LANDED: dict[str, list[Sample]] = {
    "touchpoints": TOUCHPOINTS,
    "journeys": JOURNEYS,
    "customers": [
        customer(1, customer_id="ann", revision=9, score=72.0, level="high", rebuilt=8),
        customer(1, customer_id="ann", revision=3, score=1.0, level="low"),
        customer(2, customer_id="bob", score=45.0, level="medium", reasons=[REASON, {**REASON, "text": "silent"}]),
        customer(3, customer_id="cid", score=99.0, level="gone"),
        customer(4, customer_id="dan", score=5.0, level="low"),
        customer(5, customer_id="eve", touchpoints=0),  # nothing is left of her
    ],
    "risk": [
        risk(1, customer_id="ann", revision=3, level="low", as_of=START),
        risk(1, customer_id="ann", revision=9, level="high", as_of=START + DAY),
    ],
    "late": [
        late(10, customer_id="bob", offset=12, revision=12),
        late(10, customer_id="bob", offset=1012, revision=1012),  # the same again: another row stands for it
        late(2, customer_id="ann", offset=2, revision=7),  # a rebuild has taken it in
        late(3, customer_id="ann", offset=3, revision=8),  # and this one came after it
    ],
    "rejected": [rejected(1), rejected(2, topic=None, epoch=None, partition=None, offset=None)],
    "alerts": [alert(1), alert(1, destination="ops", attempt=1, status="delivered")],
}


@pytest.fixture(scope="module")
async def client(engine: Server) -> AsyncIterator[Client]:
    """A database where every record has landed, and most of them again at other offsets of the log."""
    async with database(engine, "views") as client:
        for topic, samples in LANDED.items():
            for first in (0, 1000):
                await client.insert_avro(f"{topic}_log", block(topic, values(topic, samples, first)), "token")
        yield client


async def ask(client: Client, query: str) -> Sequence[tuple[Any, ...]]:
    return await client.query(f"{query} SETTINGS readonly = 1")


async def test_touchpoints_count_once_and_the_first_wins(client: Client) -> None:
    rows = await ask(client, "SELECT count(), max(kafka_offset), sum(value) FROM touchpoints")
    assert rows == [(13, 13, 175.0)]


async def test_visits_move_with_their_journey(client: Client) -> None:
    query = "SELECT customer_id, visit_id, journey_id, touchpoints FROM visits ORDER BY touchpoints DESC"
    rows = await ask(client, query)
    found = [(customer_id, str(one), str(other), count) for customer_id, one, other, count in rows]
    assert found == [
        ("ann", uid("visit", 1), uid("journey", 3), 3),
        ("ann", uid("visit", 3), uid("journey", 3), 2),
    ]


async def test_journeys_hide_what_was_withdrawn(client: Client) -> None:
    rows = await ask(client, "SELECT journey_id, revision, last_channel, is_open FROM journeys ORDER BY ended_at")
    assert [(str(one), *more) for one, *more in rows] == [
        (uid("journey", 3), 5, "phone", False),
        (uid("journey", 5), 1, "web", False),
        (uid("journey", 4), 1, "web", True),
    ]


async def test_customers_show_the_latest_revision(client: Client) -> None:
    rows = await ask(client, "SELECT customer_id, score, level FROM customers ORDER BY customer_id")
    assert rows == [("ann", 72.0, "high"), ("bob", 45.0, "medium"), ("cid", 99.0, "gone"), ("dan", 5.0, "low")]


async def test_customers_at_risk_say_why_and_since_when(client: Client) -> None:
    rows = await ask(client, "SELECT customer_id, level, since, why FROM customers_at_risk")
    text = REASON["text"]
    assert rows == [("ann", "high", at(START + DAY), text), ("bob", "medium", None, f"{text}; silent")]


async def test_each_change_dead_letter_and_attempt_is_there_once(client: Client) -> None:
    counts = {name: await ask(client, f"SELECT count() FROM {name}") for name in ("risk", "rejected", "alerts")}
    assert counts == {"risk": [(2,)], "rejected": [(2,)], "alerts": [(2,)]}


async def test_identities_link_devices_to_customers(client: Client) -> None:
    rows = await ask(client, "SELECT * FROM identities ORDER BY customer_id")
    assert rows == [
        ("device-1", "ann", "ambiguous", False, at(START), at(START + 4 * HOUR), 2),
        ("device-1", "bob", "ambiguous", False, at(START), at(START), 1),
    ]


async def test_late_touchpoints_are_those_no_rebuild_has_taken_in(client: Client) -> None:
    rows = await ask(client, "SELECT customer_id, event_id, accepted_from, channel FROM late_touchpoints ORDER BY 1")
    assert [(one, str(two), three, four) for one, two, three, four in rows] == [
        ("ann", uid("event", 3), at(START + HOUR), "email"),
        ("bob", uid("event", 10), at(START + HOUR), "web"),
    ]


async def test_touchpoint_usage_lists_the_unused_too(client: Client) -> None:
    query = "SELECT channel, touchpoint, in_catalogue, touchpoints, customers FROM touchpoint_usage LIMIT 3"
    rows = await ask(client, query)
    assert rows == [
        ("web", "landing_page", True, 3, 3),
        ("web", "purchase", True, 3, 2),
        ("web", "search", True, 3, 1),
    ]
    custom = await ask(client, "SELECT channel, touchpoint, stage FROM touchpoint_usage WHERE NOT in_catalogue")
    assert custom == [("web", "x_quiz", "service")]
    query = "SELECT count(), sum(customers), any(first_used_at) FROM touchpoint_usage WHERE touchpoints = 0"
    unused = await ask(client, query)
    assert unused == [(len(list(catalogue().rows())) - 6, 0, None)]
    assert await ask(client, "SELECT round(sum(share), 9) FROM touchpoint_usage") == [(1.0,)]


async def test_the_journey_map_goes_by_stage_and_channel(client: Client) -> None:
    rows = await ask(
        client,
        "SELECT position, stage, channel, touchpoints, inbound, outbound, customers, journeys, top_touchpoints,"
        " converted, unresolved, wait_ms_avg FROM journey_map",
    )
    assert rows == [
        (1, "awareness", "web", 3, 3, 0, 3, 1, ["landing_page"], 0, 0, None),
        (2, "consideration", "web", 3, 3, 0, 1, 0, ["search"], 0, 0, None),
        (3, "purchase", "web", 3, 3, 0, 2, 1, ["purchase"], 2, 0, None),
        (5, "service", "phone", 2, 2, 0, 1, 1, ["complaint", "inquiry"], 0, 1, 45_000.0),
        (5, "service", "web", 1, 1, 0, 1, 0, ["x_quiz"], 0, 0, None),
        (6, "loyalty", "email", 1, 0, 1, 1, 1, ["newsletter"], 0, 0, None),
    ]


async def test_channel_performance_counts_journeys_values_and_costs(client: Client) -> None:
    rows = await ask(
        client,
        "SELECT channel, medium, touchpoints, customers, journeys, opened, closed, converted, unresolved, values,"
        " round(cost, 6), cost_per_conversion FROM channel_performance",
    )
    assert rows == [
        ("web", "digital", 10, 3, 3, 3, 2, 1, 0, {"EUR": 100.0, "USD": 75.0}, 0.1, 0.1),
        ("phone", "human", 2, 1, 1, 0, 1, 1, 1, {}, 12.0, 12.0),
        ("email", "digital", 1, 1, 0, 0, 0, 0, 0, {}, 0.02, None),
    ]


async def test_everything_is_described_and_can_be_read_by_a_reader(client: Client) -> None:
    tables = await ask(client, "SELECT name, comment FROM system.tables WHERE database = currentDatabase()")
    assert [name for name, comment in tables if not comment] == []
    columns = (
        "SELECT table, name FROM system.columns"
        " WHERE database = currentDatabase() AND comment = ''"
        " AND NOT startsWith(table, 'refresh_')"  # what fills latest_
    )
    assert await ask(client, columns) == []
    views = await ask(
        client,
        "SELECT name, parameterized_view_parameters FROM system.tables"
        " WHERE database = currentDatabase() AND engine = 'View'",
    )
    assert len(views) == len(sql.names("views"))
    for view, parameters in views:
        given = ", ".join(
            f"{parameter['name']} = {'[]' if parameter['type'].startswith('Array') else repr('')}"
            for parameter in parameters
        )
        name = f"{view}({given})" if parameters else view
        for nulls in (0, 1):
            await client.query(f"SELECT * FROM {name} SETTINGS readonly = 1, join_use_nulls = {nulls}")
