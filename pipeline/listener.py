"""An HTTP listener inside a process that has its own event loop and its own way with signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from pipeline.errors import ConfigurationError


class Listener(uvicorn.Server):
    """A server that leaves signals to its owner and says when it listens."""

    def __init__(self, app: Any, grace_seconds: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=grace_seconds,
            )
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listening.set()


def bound(host: str, port: int, setting: str) -> socket.socket:
    """A socket bound to the address; port 0 takes any free one. Raises ConfigurationError that names the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio: no delay only where TCP is named
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise ConfigurationError(
            f"TOUCHLINE_{setting}: {host}:{port} cannot be listened on ({error.strerror})"
        ) from error
    return found


def url_of(found: socket.socket) -> str:
    """The address of a bound socket."""
    host, port = found.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
