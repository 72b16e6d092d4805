"""The migration runner against a real engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from sinks import sql
from sinks.clickhouse import Client, connect
from sinks.migrate import migrate, rendered
from tests.integration.sinks_server import Server

ALL = list(sql.names("migrations"))


@pytest.fixture
async def client(engine: Server, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """Of a database that is yet to be made."""
    name = f"db_{request.node.name[:20]}"
    async with await connect(engine.url, "default", engine.password, name) as client:
        yield client
        await client.command(f"DROP DATABASE `{name}` SYNC", in_database=False)


async def test_each_file_is_applied_once(client: Client) -> None:
    assert await migrate(client, Settings()) == ALL
    assert await migrate(client, Settings()) == []
    assert await client.query("SELECT name FROM schema_migrations FINAL ORDER BY name") == [(name,) for name in ALL]


async def test_two_processes_at_once_are_harmless(client: Client) -> None:
    await asyncio.gather(*(migrate(client, Settings()) for _ in range(3)))
    assert await migrate(client, Settings()) == []
    assert await client.query("SELECT count() FROM catalogue") == [(134,)]


async def test_a_file_changed_after_it_was_applied_is_refused(client: Client) -> None:
    await migrate(client, Settings())
    changed = ALL[3]
    await client.insert_rows("schema_migrations", ("name", "checksum"), [(changed, "0" * 64)])
    with pytest.raises(ConfigurationError, match=f"{changed}.*new one"):
        await migrate(client, Settings())


async def test_an_interrupted_run_is_completed(client: Client) -> None:
    await migrate(client, Settings())
    await client.command("TRUNCATE TABLE schema_migrations")
    await client.command("DROP TABLE alerts_log")
    assert await migrate(client, Settings()) == ALL
    assert await client.query("SELECT count() FROM alerts") == [(0,)]


async def test_views_follow_the_settings(client: Client) -> None:
    for days in (14, 3):
        await migrate(client, Settings(journey_gap_days=days, visit_gap_minutes=days + 1))
        known = dict(await client.query(sql.query("parameters")))
        assert known == {"history_days": 90, "journey_gap_days": days, "visit_gap_minutes": days + 1}


async def test_what_a_cluster_is_sent_can_be_parsed(client: Client) -> None:
    await migrate(client, Settings())
    for folder in ("migrations", "views"):
        for name in sql.names(folder):
            for statement in sql.statements(sql.read(folder, name)):
                await client.raw("EXPLAIN AST " + rendered(statement, "main"), fmt="TSV")
