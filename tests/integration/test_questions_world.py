"""The small company of the questions' tests lands alike however it comes in, and an import can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.questions_world import World, arrangements, in_order, touch, world
from tests.integration.sinks_server import clickhouse

RECORDS = [
    touch("ann", "2026-03-01 10:00", "web.landing_page"),
    touch("ann", "2026-03-11 10:00", "web.cart_add"),  # ten days later: the same journey
    touch("ann", "2026-03-11 10:20", "web.purchase", outcome="converted", value=10.0, currency="EUR"),
    touch("ann", "2026-03-21 10:00", "phone.complaint", outcome="unresolved", import_id="file"),  # would be bridged ...
    touch("ann", "2026-03-29 10:00", "phone.inquiry", outcome="resolved"),  # ... to this one
    touch("bob", "2026-03-05 09:00", "email.open", import_id="file"),
]
JOURNEYS = "SELECT customer_id, visits, touchpoints, values FROM journeys ORDER BY customer_id, started_at"


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture(params=arrangements, ids=lambda arrange: str(arrange.__name__))
async def company(server: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(server, f"world_{request.param.__name__}", request.param(RECORDS)) as found:
        yield found


async def test_the_company_is_the_same_however_it_came_in_and_without_an_import(company: World) -> None:
    assert await company.ask(JOURNEYS) == [("ann", 4, 5, {"EUR": 10.0}), ("bob", 1, 1, {})]
    assert await company.ask("SELECT count(), sum(value) FROM touchpoints") == [(6, 10.0)]
    await company.withdraw("file")
    assert await company.ask(JOURNEYS) == [("ann", 2, 3, {"EUR": 10.0}), ("ann", 1, 1, {})]
    assert await company.ask("SELECT count(), sum(value) FROM touchpoints") == [(4, 10.0)]
    assert await company.ask("SELECT customer_id, touchpoints FROM customers") == [("ann", 4)]


async def test_a_rebuild_takes_in_what_was_late(server: tuple[str, str]) -> None:
    too_late = touch("ann", "2025-06-01 10:00", "web.search")
    async with world(server, "world_rebuilt", [*in_order(RECORDS), [too_late]]) as company:
        assert await company.ask("SELECT count() FROM late_touchpoints") == [(1,)]
        await company.rebuild("ann")
        assert await company.ask("SELECT count() FROM late_touchpoints") == [(0,)]
        assert await company.ask(JOURNEYS) == [("ann", 1, 1, {}), ("ann", 4, 5, {"EUR": 10.0}), ("bob", 1, 1, {})]
