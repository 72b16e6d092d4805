"""Which Touchline a command works on: the environment's, the one running on a folder, or one of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.settings import Settings
from sinks.clickhouse import Client, connect
from sinks.migrate import migrate


@dataclass(frozen=True)
class Target:
    """Where Kafka and ClickHouse are; the collector too, where this machine runs one."""

    kafka_url: str
    clickhouse_url: str
    clickhouse_user: str
    clickhouse_password: str
    collector_url: str | None = None
    private_url: str | None = None
    write_key: str | None = None
    data: Path | None = None

    async def clickhouse(self) -> Client:
        """A client of the database `touchline`."""
        return await connect(self.clickhouse_url, self.clickhouse_user, self.clickhouse_password)


@asynccontextmanager
async def attach(settings: Settings, data: Path | None = None, *, roles: bool = True) -> AsyncIterator[Target]:
    """The servers of the settings when both are set, else the stack on the folder, started for the block if need be.

    Without `roles` a stack started here is Kafka and ClickHouse only: enough to look at what has landed.
    """
    if data is None and bool(settings.kafka_url) != bool(settings.clickhouse_url):
        raise ConfigurationError("set both TOUCHLINE_KAFKA_URL and TOUCHLINE_CLICKHOUSE_URL, or neither")
    if settings.kafka_url and settings.clickhouse_url and data is None:
        yield Target(
            settings.kafka_url,
            settings.clickhouse_url,
            settings.clickhouse_user,
            settings.clickhouse_password,
        )
        return
    from pipeline.local.installation import Installation  # noqa: PLC0415 (the extra `local` may be absent)
    from pipeline.local.stack import Endpoints, LocalStack, running  # noqa: PLC0415

    def target(endpoints: Endpoints) -> Target:
        extra = endpoints.extra
        return Target(
            kafka_url=endpoints.kafka_url,
            clickhouse_url=endpoints.clickhouse_url,
            clickhouse_user=endpoints.clickhouse_user,
            clickhouse_password=endpoints.clickhouse_password,
            collector_url=extra.get("collector_url"),
            private_url=extra.get("private_url"),
            write_key=extra.get("write_key"),
            data=endpoints.data,
        )

    folder = data or settings.data
    if (endpoints := running(folder)) is not None:
        if roles and "collector_url" not in endpoints.extra:
            raise UnavailableError(f"{folder} is in use by a command that runs no workers: try again when it has ended")
        yield target(endpoints)
        return
    if not roles:
        async with LocalStack(folder, settings.local_broker) as endpoints:
            found = target(endpoints)
            async with await found.clickhouse() as client:
                await migrate(client, settings)
            yield found
        return
    async with Installation(settings, folder) as installation:
        watching = asyncio.create_task(installation.watch())
        try:
            yield target(installation.endpoints)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
