"""What the tests of a session share, because it takes seconds to start.

A test takes the smallest that will do, and leaves it as it found it:

- `emptied`: a client of a migrated ClickHouse database without rows;
- `engine`: the server itself, for `database(engine, "name")` where tables are altered or data is shared by a module;
- `kafka`: a broker with Touchline's topics, empty when the module begins, for `collector(kafka.url, folder, ...)`.

Only what kills, stops or restarts a server, or makes topics anew, starts its own: `clickhouse(folder)`,
`broker(folder)`, `LocalStack`, `Installation`. With pytest-xdist every worker has its own session.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sinks.clickhouse import Client, connect
from tests.integration.collector_process import Broker, broker, forget_records
from tests.integration.sinks_server import Server, clickhouse, database, empty


@pytest.fixture(scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The ClickHouse engine behind its HTTP front, running for the whole session."""
    async with clickhouse(tmp_path_factory.mktemp("engine")) as server:
        yield server


@pytest.fixture(scope="session")
async def migrated(engine: Server) -> AsyncIterator[str]:
    """The name of a migrated database; whose rows a test gets rid of with `emptied`."""
    async with database(engine, "migrated") as client:
        yield client.database


@pytest.fixture
async def emptied(engine: Server, migrated: str) -> AsyncIterator[Client]:
    """A client of the test's own, of a migrated database that holds nothing; its tables are not to be altered."""
    async with await connect(engine.url, "default", engine.password, migrated) as client:
        await empty(client)
        yield client


@pytest.fixture(scope="session")
async def session_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """The broker behind `kafka`."""
    async with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
async def kafka(session_kafka: Broker) -> Broker:
    """A broker with Touchline's topics, which hold nothing; it runs for the whole session.

    A test may suspend it, as long as it lets it go on; the topics stay the ones they are.
    """
    await forget_records(session_kafka.url)
    return session_kafka
