"""A ClickHouse of its own for a test module: the local engine behind its front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline.local.child import Child
from pipeline.local.clickhouse import ClickHouse
from pipeline.local.server import free_port


@asynccontextmanager
async def clickhouse(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Run a server; yields its URL and the password of user default."""
    server = ClickHouse(folder, free_port())
    await server.prepare()
    child = Child.start("clickhouse", server.command(), server.log, server.environment())
    try:
        async with asyncio.timeout(60):
            while not await server.ready():
                assert child.alive, child.tail()
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{server.port}", server.password
    finally:
        await child.stop(grace=10.0)
