"""A whole installation for fault tests, and what it holds."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.errors import UnavailableError
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from pipeline.topics import epochs
from sinks.clickhouse import Client, connect
from tests.command import touchline

SETTINGS = Settings(collector_port=0, collector_private_port=0)


@asynccontextmanager
async def watched(data: Path) -> AsyncIterator[Installation]:
    """An installation in which whatever dies is started again."""
    async with Installation(SETTINGS, data, on_event=lambda _: None) as installation:
        watching = asyncio.create_task(installation.watch())
        try:
            yield installation
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


@asynccontextmanager
async def clickhouse(installation: Installation) -> AsyncIterator[Client]:
    """A client of its ClickHouse."""
    known = installation.endpoints
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        yield client


def lose(installation: Installation, data: Path, pattern: str) -> None:
    """SIGKILL Kafka and delete these of its folders, before anybody can start it again."""
    installation.stack.child("kafka").kill()
    folders = list(data.glob(pattern))
    assert folders
    for folder in folders:
        shutil.rmtree(folder)


async def until_new(kafka_url: str, before: dict[str, int]) -> dict[str, int]:
    """Wait until each of these topics has another epoch than before; all epochs then."""
    async with asyncio.timeout(120):
        while True:
            with suppress(UnavailableError):
                now = await epochs(kafka_url)
                if all(now.get(topic, number) != number for topic, number in before.items()):
                    return now
            await asyncio.sleep(0.2)


async def landed_ids(client: Client) -> set[str]:
    """The event_ids of the touchpoints that can be seen."""
    return {str(event_id) for (event_id,) in await client.query("SELECT event_id FROM touchpoints")}


async def audited(data: Path) -> Any:
    """What a deep audit prints, which must find nothing wrong."""
    answer = await touchline("audit", "--data", str(data), "--json", "--deep")
    assert answer.status == 0, answer.output + answer.errors
    return answer.json()
