"""Who calls now: the open journey, the alert, links made by hand, and how little is read for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.alerts.records import acknowledgement, snooze
from pipeline.identities import Correction, correct
from sinks.clickhouse import Client
from tests.integration.identities_world import database, land
from tests.integration.questions_world import moment, touch
from tests.integration.sinks_samples import Sample, alert, block, uid, values
from tests.integration.sinks_server import clickhouse

OTHERS = 100_000
"""Touchpoints of other people, one each: a dozen granules of the primary key."""

_CROWD = """
INSERT INTO touchpoints_log
    (event_id, customer_id, anonymous_id, occurred_at, received_at, channel, touchpoint, stage, direction, source,
     kafka_epoch, kafka_partition, offset_before, offset_after)
SELECT
    generateUUIDv4(), concat('other-', toString(number)), concat('device-', toString(number)), now64(3), now64(3),
    'web', 'page_view', 'consideration', 'inbound', 'http', 1, 0, number, number
FROM numbers({count:UInt64})
"""


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture
async def client(server: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with database(server, f"db_{request.node.name}"[:60]) as found:
        yield found


def ago(customer_id: str, days: float, what: str, **fields: Any) -> Sample:
    """A touchpoint some days ago."""
    when = datetime.now(UTC) - timedelta(days=days)
    return touch(customer_id, when.strftime("%Y-%m-%d %H:%M:%S"), what, **fields)


async def pop(client: Client, asked: str, columns: str) -> list[tuple[Any, ...]]:
    return await client.query(f"SELECT {columns} FROM screen_pop(customer_id = {{who:String}})", {"who": asked})


async def test_the_open_journey_is_that_of_the_person(client: Client) -> None:
    await land(
        client,
        ago("ann", 40, "web.search"),
        ago("anon:d1", 20, "advertising.ad_click", anonymous_id="d1"),
        ago("ann", 10, "web.landing_page", anonymous_id="d1"),
        ago("ann", 9, "email.newsletter"),
        ago("ann", 1, "phone.inquiry"),
        ago("bob", 15, "web.search"),
    )
    columns = "journey_started_at, journey_touchpoints, journey_channels, journey_stages"
    [open_now] = await client.query(
        "SELECT started_at, touchpoints, channels, stages FROM person_journeys(person = 'ann') WHERE is_open"
    )
    assert open_now[1:] == (3, ["advertising", "phone", "web"], ["awareness", "service"])
    assert await pop(client, "ann", columns) == [open_now]
    assert await pop(client, "bob", columns) == [(None, 0, [], [])]


async def test_a_link_taken_back_by_hand_parts_them_and_a_shared_device_is_nobodys(client: Client) -> None:
    await land(
        client,
        ago("anon:d1", 3, "web.search", anonymous_id="d1"),
        ago("ann", 2, "web.search", anonymous_id="d1"),
        ago("anon:d2", 3, "web.search", anonymous_id="d2"),
        ago("ann", 2, "web.page_view", anonymous_id="d2"),
        ago("bob", 2, "web.page_view", anonymous_id="d2"),
    )
    columns = "customer_id, linked_ids, touchpoints"
    assert await pop(client, "d1", columns) == [("ann", ["anon:d1"], 3)]
    assert await pop(client, "d2", columns) == [("anon:d2", [], 1)]
    await correct(client, Correction("d2", "bob", linked=False))
    assert await pop(client, "d2", columns) == [("ann", ["anon:d1", "anon:d2"], 4)]
    await correct(client, Correction("d1", "ann", linked=False))
    assert await pop(client, "anon:d1", columns) == [("anon:d1", [], 1)]
    await correct(client, Correction("d1", "bob", linked=True))
    assert await pop(client, "bob", columns) == [("bob", ["anon:d1"], 2)]


async def tell(client: Client, *records: Sample) -> None:
    await client.insert_avro("alerts_log", block("alerts", values("alerts", list(records))), "")


async def test_the_alert_that_is_not_over_is_shown(client: Client) -> None:
    await land(client, ago("ann", 1, "phone.complaint"), ago("bob", 1, "phone.complaint"))
    columns = "toString(alert_id), alert_level, alert_status, acknowledged_by, snoozed_until"
    assert await pop(client, "ann", columns) == [(None, None, None, None, None)]
    first, second = moment("2026-03-02 09:00"), moment("2026-03-03 09:00")
    await tell(
        client,
        alert(1, customer_id="ann", raised_at=first, level="high"),
        alert(2, customer_id="ann", raised_at=second, level="critical"),
        alert(3, customer_id="bob", raised_at=first),
    )
    newest = uid("alert", 2)
    assert await pop(client, "ann", columns) == [(newest, "critical", "open", None, None)]
    await tell(client, acknowledgement(newest, "ann", second + 1, by="Lee"))
    assert await pop(client, "ann", columns) == [(newest, "critical", "acknowledged", "Lee", None)]
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    await tell(client, snooze("ann", round(until.timestamp() * 1000), second + 2))
    await tell(client, alert(4, customer_id="ann", status="over", about=newest, raised_at=second + 3))
    assert await pop(client, "ann", columns) == [(None, None, None, None, until.replace(tzinfo=None))]
    await tell(client, snooze("ann", second + 4, second + 4))
    assert await pop(client, "ann", columns) == [(None, None, None, None, None)]


async def test_what_was_settled_later_is_no_open_issue(client: Client) -> None:
    await land(
        client,
        ago("ann", 10, "helpdesk.ticket_opened", reference="t1"),
        ago("ann", 8, "helpdesk.ticket_resolved", reference="t1"),
        ago("ann", 9, "helpdesk.ticket_opened", reference="t2"),
        ago("ann", 8, "phone.inquiry", outcome="resolved", reference="t2"),
        ago("ann", 7, "helpdesk.ticket_reopened", reference="t2"),
        ago("ann", 6, "live_chat.chat_end", outcome="unresolved", reference="t2"),
        ago("ann", 5, "delivery.lost", reference="o1"),
        ago("ann", 4, "delivery.delivered", reference="o1", outcome="completed"),
        ago("ann", 3, "phone.inquiry", outcome="unresolved"),
        ago("ann", 2, "phone.inquiry", outcome="resolved"),
        ago("ann", 1, "social.complaint"),
    )
    [(issues,)] = await pop(client, "ann", "open_issues")
    assert [(one["reference"], one["channel"], one["touchpoint"], one["contacts"]) for one in issues] == [
        ("t2", "helpdesk", "ticket_reopened", 4),
        (None, "social", "complaint", 1),
    ]


async def test_only_twenty_are_shown_and_all_are_counted(client: Client) -> None:
    await land(client, *(ago("ann", day, "web.page_view", value=1.0, currency="EUR") for day in range(1, 31)))
    columns = "touchpoints, values, length(recent), recent[1].occurred_at > recent[20].occurred_at"
    assert await pop(client, "ann", columns) == [(30, {"EUR": 30.0}, 20, True)]


async def test_no_table_is_read_through(client: Client) -> None:
    await client.command(_CROWD, {"count": OTHERS})
    await client.command("OPTIMIZE TABLE touchpoints_log FINAL")
    for asked in ("other-7", "device-7", "anon:device-7", "nobody"):
        read = "SELECT * FROM screen_pop(customer_id = {who:String})"
        answer = json.loads(await client.raw(read, {"who": asked}, fmt="JSON"))
        assert answer["rows"] == (asked != "nobody")
        assert answer["statistics"]["rows_read"] < OTHERS, asked
