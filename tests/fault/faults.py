"""What breaks, and who comes to help."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline import readiness
from pipeline.local.child import Child
from pipeline.local.installation import ROLES, Installation

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
