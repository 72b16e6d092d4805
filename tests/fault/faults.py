"""What breaks, and how the rest of the group takes it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from pipeline import readiness
from pipeline.landed import committed_positions
from pipeline.local.child import Child
from pipeline.local.installation import ROLES, Installation
from pipeline.log_reader import log_reader
from pipeline.topics import CUSTOMERS_GROUP

_PATIENCE = 60.0


def child(installation: Installation, name: str) -> Child:
    return installation.role(name) if name in ROLES else installation.stack.child(name)  # type: ignore[arg-type]


async def kill(installation: Installation, name: str) -> None:
    """SIGKILL what runs under this name; what happens to be down is waited for."""
    while True:
        victim = child(installation, name)
        victim.signal(signal.SIGKILL)
        if await victim.wait() == -signal.SIGKILL:
            return
        while child(installation, name) is victim:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def second_worker(installation: Installation, folder: Path) -> AsyncIterator[Child]:
    """One more customers worker, ready when the block begins, stopped at its end."""
    ready = folder / "second.json"
    ready.unlink(missing_ok=True)
    environment = {**installation.environment, readiness.VARIABLE: str(ready)}
    command = [sys.executable, "-m", "pipeline.roles", "customers"]
    child = Child.start("second", command, folder / "second.log", environment)
    try:
        async with asyncio.timeout(_PATIENCE):
            while readiness.read(ready) is None:
                assert child.alive, child.tail(20)
                await asyncio.sleep(0.05)
        yield child
    finally:
        await child.stop()


async def until_members(kafka_url: str, count: int) -> None:
    """Wait until the customers group is settled and has that many members."""
    async with asyncio.timeout(_PATIENCE):
        while await _members(kafka_url) != count:
            await asyncio.sleep(0.1)


async def _members(kafka_url: str) -> int | None:
    """How many members the customers group has; None while it is being made up anew."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        [answer] = await admin.describe_consumer_groups([CUSTOMERS_GROUP])
        [(error, _, state, _, _, members, *_)] = answer.groups
    except KafkaError:
        return None
    finally:
        await admin.close()
    return len(members) if error == 0 and state == "Stable" else None


async def until_behind(kafka_url: str, records: int) -> None:
    """Wait until the customers agent has that many touchpoints of some partition yet to apply."""
    applied = committed_positions(kafka_url, CUSTOMERS_GROUP)
    async with asyncio.timeout(_PATIENCE), log_reader(kafka_url) as log:
        while True:
            ends, positions = await log.spans(["touchpoints"]), await applied.read()
            if any(span.end - positions.get(tp, 0) >= records for tp, span in ends.items()):
                return
