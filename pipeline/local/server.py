"""What the stack needs to know of a server it runs."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pipeline.errors import UnavailableError

PORTS = (20_000, 32_000)


class Server(Protocol):
    """A server of the local stack: how to prepare, start and question it. It holds no process itself."""

    name: str
    log: Path
    start_seconds: float
    stop_seconds: float

    async def prepare(self) -> None:
        """Make ready what the command needs; called before every start, and cheap after the first."""

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    def environment(self) -> Mapping[str, str]:
        """Return variables to add to the environment."""

    async def ready(self) -> bool:
        """Tell whether the server answers requests now; never raises."""


def free_port() -> int:
    """Return a loopback port nobody listens on at this moment.

    It lies below those that systems hand to outgoing connections, so none takes it while a server restarts.
    """
    for _ in range(1000):
        port = random.randrange(*PORTS)
        if is_free(port):
            return port
    raise UnavailableError(f"no free port between {PORTS[0]} and {PORTS[1]}: stop something that listens there")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def accepts(port: int) -> bool:
    """Tell whether something accepts connections on this loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
