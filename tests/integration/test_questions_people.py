"""The views of questions 9 to 15 on a small company whose answers are worked out by hand, however it came in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest

from tests.integration.questions_people import COMPANY
from tests.integration.questions_world import World, arrangements, world
from tests.integration.sinks_server import clickhouse

FIRST, SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture(scope="module", params=arrangements, ids=lambda arrange: arrange.__name__)
async def company(server: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(server, f"people_{request.param.__name__}", request.param(COMPANY)) as found:
        await found.withdraw("wrong")
        yield found


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute)  # noqa: DTZ001 (as the client gives UTC)


async def test_voice_of_customer(company: World) -> None:
    columns = (
        "week, channel, stage, answers, customers, nps_answers, promoters, passives, detractors, nps,"
        " csat_answers, satisfied, csat, ces_answers, ces"
    )
    assert await company.ask(f"SELECT {columns} FROM voice_of_customer") == [
        (FIRST, "survey", "loyalty", 1, 1, 1, 1, 0, 0, 100.0, 0, 0, None, 0, None),
        (FIRST, "survey", "service", 1, 1, 0, 0, 0, 0, None, 0, 0, None, 1, 7.0),
        (SECOND, "phone", "service", 1, 1, 0, 0, 0, 0, None, 1, 0, 0.0, 0, None),
        (SECOND, "survey", "loyalty", 3, 3, 3, 1, 1, 1, 0.0, 0, 0, None, 0, None),
        (THIRD, "survey", "service", 1, 1, 0, 0, 0, 0, None, 1, 1, 1.0, 0, None),
    ]


async def test_segments(company: World) -> None:
    columns = "customer_id, segment, recency, frequency, monetary, engagement, purchases, values, visits_per_month"
    assert await company.ask(f"SELECT {columns} FROM segments ORDER BY customer_id") == [
        ("ada", "promising", 4, 2, 1, 1, 2, {"EUR": 140.1}, 4.0),
        ("ben", "hibernating", 1, 1, 1, 3, 1, {"USD": 20.0}, 5.0),
        ("cat", "promising", 3, 2, 3, 4, 2, {"EUR": 520.0}, 6.0),
        ("dan", "gone", 2, 0, 0, 1, 0, {}, 4.0),
    ]


async def test_delivery_and_billing(company: World) -> None:
    columns = (
        "week, orders, delivered, late, damaged, lost, returned, faulty, fault_rate, faulty_customers,"
        " failed_payments, failed_customers, failed_values, billing_inquiries, inquiring_customers"
    )
    assert await company.ask(f"SELECT {columns} FROM delivery_and_billing") == [
        (FIRST, 1, 1, 1, 0, 0, 0, 1, 1.0, 1, 0, 0, {}, 0, 0),
        (SECOND, 1, 0, 0, 1, 0, 0, 1, 1.0, 1, 1, 1, {"EUR": 9.99}, 1, 1),
        (THIRD, 2, 1, 0, 0, 0, 1, 0, 0.0, 0, 0, 0, {}, 0, 0),
    ]


async def test_relationship_performance(company: World) -> None:
    columns = (
        "relationship, channel, customers, journeys, first_contacts, acquired, acquisition_rate, returned,"
        " return_rate, extra_sales, extra_values"
    )
    assert await company.ask(f"SELECT {columns} FROM relationship_performance") == [
        ("automated", "advertising", 1, 1, 1, 0, 0.0, 0, 0.0, 0, {}),
        ("automated", "delivery", 1, 1, 0, 0, None, 0, 0.0, 0, {}),
        ("automated", "email", 1, 1, 1, 1, 1.0, 0, 0.0, 0, {}),
        ("automated", "loyalty", 1, 1, 1, 1, 1.0, 0, 0.0, 0, {}),
        ("automated", "subscription", 2, 2, 0, 0, None, 0, 0.0, 0, {}),
        ("automated", "survey", 4, 4, 1, 0, 0.0, 1, 0.25, 0, {}),
        ("dedicated", "event", 1, 1, 0, 0, None, 0, 0.0, 0, {}),
        ("dedicated", "sales", 1, 1, 0, 0, None, 0, 0.0, 0, {}),
        ("personal", "in_store", 1, 1, 0, 0, None, 0, 0.0, 1, {"EUR": 40.1}),
        ("personal", "phone", 1, 1, 0, 0, None, 0, 0.0, 0, {}),
        ("self_service", "web", 4, 4, 1, 1, 1.0, 1, 0.25, 0, {}),
    ]


async def test_campaign_results(company: World) -> None:
    columns = (
        "campaign, channels, kinds, first_at, last_at, customers, sent, bounced, opened, clicked, responded,"
        " unsubscribed, converted, conversions, conversion_rate, values"
    )
    money = {"EUR": 100.0, "USD": 20.0}
    spring = (["advertising", "email", "web"], ["advertising", "email", "other"], at(2, 8), at(3, 9, 1))
    assert await company.ask(f"SELECT {columns} FROM campaign_results") == [
        ("spring", *spring, 4, 2, 1, 1, 2, 0, 0, 2, 2, 0.5, money),
        ("talk", ["event"], ["event"], at(5, 11), at(6, 11), 1, 0, 0, 0, 0, 1, 0, 1, 1, 1.0, {"EUR": 500.0}),
        ("ten", ["loyalty"], ["offer"], at(4, 10), at(5, 10), 1, 1, 0, 0, 0, 1, 0, 1, 1, 1.0, {"EUR": 15.0}),
    ]


async def pop(company: World, asked: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return await company.ask(f"SELECT {columns} FROM screen_pop(customer_id = '{asked}')")


async def test_a_customer_pops_up_with_what_is_open(company: World) -> None:
    columns = (
        "customer_id, linked_ids, first_seen_at, customer_since, touchpoints, purchases, values, nps, nps_at, csat, ces"
    )
    assert await pop(company, "ben", columns) == [
        ("ben", [], at(2, 11), at(9, 12), 8, 1, {"USD": 20.0}, 6.0, at(12, 10), 2.0, None)
    ]
    columns = "last_at, last_channel, last_touchpoint, last_outcome, last_reference, last_sentiment, last_mood"
    assert await pop(company, "ben", columns) == [(at(12, 10), "survey", "nps", None, None, -0.4, "negative")]
    [(issues,)] = await pop(company, "ben", "open_issues")
    assert [tuple(issue.values()) for issue in issues] == [
        ("o2", "delivery", "damaged", at(10, 9), at(10, 9, 30), 2),
        (None, "subscription", "payment_failed", at(11, 9), at(11, 9), 0),
    ]
    assert await pop(company, "cat", "open_issues") == [([],)]


async def test_whoever_is_asked_for_by_any_id_is_the_person(company: World) -> None:
    [row] = await pop(company, "ada")
    assert [row] == await pop(company, "d1") == await pop(company, "anon:d1")
    columns = "customer_id, linked_ids, first_seen_at, touchpoints, values, length(recent), open_issues"
    assert await pop(company, "d1", columns) == [("ada", ["anon:d1"], at(2, 8), 9, {"EUR": 140.1}, 9, [])]


async def test_the_recent_path_begins_with_the_newest(company: World) -> None:
    [(recent,)] = await pop(company, "cat", "recent")
    expected = sorted((row for row in COMPANY if row["customer_id"] == "cat" and not row["import_id"]), key=_time)
    assert [(step["channel"], step["touchpoint"], step["value"]) for step in recent] == [
        (row["channel"], row["touchpoint"], row["value"]) for row in reversed(expected)
    ]


def _time(row: dict[str, Any]) -> int:
    return int(row["occurred_at"])


async def test_its_risk_is_that_of_the_customer(company: World) -> None:
    columns = "score, level, reasons, action, scored_at"
    for who in ("ada", "ben", "cat", "dan"):
        assert await pop(company, who, columns) == await company.ask(
            f"SELECT {columns} FROM customers WHERE customer_id = '{who}'"
        )
        [(since,)] = await pop(company, who, "at_risk_since")
        changes = f"SELECT argMaxOrNull(as_of, revision) FROM risk WHERE customer_id = '{who}'"
        assert [(since,)] == await company.ask(changes)


async def test_nobody_pops_up_for_an_id_that_was_never_seen(company: World) -> None:
    for nobody in ("", "nobody", "anon:nobody", "anon:ada", "eve", "'"):
        rows = await company.client.query("SELECT * FROM screen_pop(customer_id = {who:String})", {"who": nobody})
        assert rows == []
