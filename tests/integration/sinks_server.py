"""The local ClickHouse engine behind its front, and databases in it, for tests that need no Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline.local.child import Child
from pipeline.local.clickhouse import ClickHouse
from pipeline.local.server import free_port
from pipeline.settings import Settings
from sinks.clickhouse import DATABASE, Client, connect
from sinks.migrate import migrate

KEPT = ("schema_migrations", "parameters", "catalogue_log")
"""Tables whose rows `migrate` writes."""


class Server(NamedTuple):
    """How to reach a server as user default."""

    url: str
    password: str


@asynccontextmanager
async def clickhouse(folder: Path) -> AsyncIterator[Server]:
    """Run a server of one's own; a test that does not stop or kill it uses the fixture `engine`."""
    server = ClickHouse(folder, free_port())
    await server.prepare()
    child = Child.start("clickhouse", server.command(), server.log, server.environment())
    try:
        async with asyncio.timeout(60):
            while not await server.ready():
                assert child.alive, child.tail()
                await asyncio.sleep(0.02)
        yield Server(f"http://127.0.0.1:{server.port}", server.password)
    finally:
        await child.stop(grace=10.0)


@asynccontextmanager
async def database(server: Server, name: str = DATABASE) -> AsyncIterator[Client]:
    """A migrated database that holds nothing, dropped in the end; commands find only the one of the usual name."""
    async with await connect(server.url, "default", server.password, name) as client:
        try:
            await migrate(client, Settings())
            yield client
        finally:
            await client.command(f"DROP DATABASE IF EXISTS `{name}` SYNC", in_database=False)


async def empty(client: Client) -> None:
    """Take all rows out of a migrated database, and the memory of blocks that came."""
    tables = await client.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    for (table,) in tables:
        if table not in KEPT:
            await client.command(f"TRUNCATE TABLE `{table}`")
