"""Answers kept ahead of their questions are those of the view, and say of when they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from pipeline.settings import Settings
from sinks import latest
from sinks.clickhouse import Client, connect
from sinks.migrate import migrate, rendered
from tests.integration.sinks_samples import block, touchpoint, values
from tests.integration.sinks_server import clickhouse

COLUMNS = "SELECT name, type, comment FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with (
        clickhouse(tmp_path_factory.mktemp("clickhouse")) as (url, password),
        await connect(url, "default", password) as client,
    ):
        await migrate(client, Settings())
        yield client


async def refresh(client: Client, question: str) -> None:
    await client.command(f"SYSTEM REFRESH VIEW refresh_{question}")
    await client.command(f"SYSTEM WAIT VIEW refresh_{question}")


async def columns(client: Client, table: str) -> list[tuple[Any, ...]]:
    return await client.query(COLUMNS, {"table": table})


async def test_the_latest_answer_has_the_columns_of_its_view_and_the_moment(client: Client) -> None:
    for question in latest.QUESTIONS:
        moment, *others = await columns(client, f"latest_{question}")
        assert moment[:2] == ("as_of", "DateTime64(3, 'UTC')")
        assert others == await columns(client, question)
        assert not {name for name, _, _ in others} & {"customer_id", "person_id", "anonymous_id", "event_id"}


async def test_every_latest_answer_can_be_made(client: Client) -> None:
    for question in latest.QUESTIONS:
        await refresh(client, question)
    failed = "SELECT view, exception FROM system.view_refreshes WHERE database = currentDatabase() AND exception != ''"
    assert await client.query(failed) == []
    known = await client.query("SELECT countIf(isNotNull(last_success_time)) FROM system.view_refreshes")
    assert known == [(len(latest.QUESTIONS),)]


async def test_an_answer_stands_until_the_next_one_which_is_that_of_the_view(client: Client) -> None:
    asked = "SELECT channel, touchpoint, touchpoints, customers, share FROM {} WHERE touchpoints > 0"
    moments = "SELECT min(as_of), max(as_of) FROM latest_touchpoint_usage"
    await refresh(client, "touchpoint_usage")
    [(before, _)] = await client.query(moments)
    landed = [touchpoint(number, customer_id="ann" if number < 3 else "bob") for number in range(5)]
    twice = block("touchpoints", values("touchpoints", [*landed, *landed]))
    await client.insert_avro("touchpoints_log", twice, "token")
    assert await client.query(asked.format("touchpoint_usage")) == [("web", "page_view", 5, 2, 1.0)]
    assert await client.query(asked.format("latest_touchpoint_usage")) == []
    await refresh(client, "touchpoint_usage")
    assert await client.query(asked.format("latest_touchpoint_usage")) == [("web", "page_view", 5, 2, 1.0)]
    [(first, last)] = await client.query(moments)
    assert isinstance(first, datetime)
    assert before < first == last


async def test_what_a_cluster_is_sent_can_be_parsed(client: Client) -> None:
    for statement in latest.statements():
        await client.raw("EXPLAIN AST " + rendered(statement, "main"), fmt="TSV")


async def test_questions_are_answered_one_after_the_other(client: Client) -> None:
    makers = [f"refresh_{question}" for question in latest.QUESTIONS]
    for before, maker in pairwise([None, *makers]):
        [(made,)] = await client.query(f"SHOW CREATE TABLE {maker}")
        assert "max_threads = 1" in made
        assert ("DEPENDS ON" in made) == (before is not None)
        assert before is None or f"DEPENDS ON touchline.{before} " in made.replace("\n", " ")
