"""Runs the collector: the public and the private listener in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import uvicorn

from pipeline.collector import private
from pipeline.collector.app import build
from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.publisher import Publisher
from pipeline.registry import schema_ids_at_last
from pipeline.settings import Settings

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 5


class Listening(NamedTuple):
    """Where the collector listens."""

    url: str
    private_url: str


async def serve(settings: Settings, *, on_ready: Callable[[Listening], None]) -> None:
    """Listen until SIGTERM or SIGINT, then finish what is in flight and return.

    `on_ready` is called once both listeners take connections; while Kafka is away they answer 503. While a schema
    registry is out of reach at the start, there are no listeners yet. Raises ConfigurationError for a setting that
    cannot work.
    """
    if not settings.kafka_url:
        raise ConfigurationError("TOUCHLINE_KAFKA_URL: set the broker that the collector writes to, host:port")
    publisher = Publisher(settings.kafka_url, settings.ack_timeout_seconds)
    collector = build(settings, publisher, await schema_ids_at_last(settings))
    with (
        _bound(settings.collector_host, settings.collector_port, "COLLECTOR_PORT") as public_socket,
        _bound(LOOPBACK, settings.collector_private_port, "COLLECTOR_PRIVATE_PORT") as private_socket,
    ):
        grace = int(settings.ack_timeout_seconds) + _GRACE_SECONDS
        servers = [
            (_server(collector.app, grace), public_socket),
            (_server(private.build(collector.metrics), grace), private_socket),
        ]
        listening = Listening(_url(public_socket), _url(private_socket))
        connecting = asyncio.create_task(_connect(publisher))
        try:
            await _run(servers, lambda: on_ready(listening))
        finally:
            connecting.cancel()
            await asyncio.wait({connecting})
            await publisher.stop()


async def _connect(publisher: Publisher) -> None:
    """Save the first request the wait, if Kafka is there."""
    try:
        await publisher.start()
    except UnavailableError as error:
        log.warning("not ready: %s", error)


async def _run(servers: list[tuple[_Server, socket.socket]], on_ready: Callable[[], None]) -> None:
    """Run all servers until a signal asks them to end."""
    async with _signals([server for server, _ in servers]), asyncio.TaskGroup() as group:
        for server, its_socket in servers:
            group.create_task(server.serve(sockets=[its_socket]))
        for server, _ in servers:
            await server.listening.wait()
        on_ready()


class _Server(uvicorn.Server):
    """A server that leaves signals to its owner and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.listening.set()


def _server(app: Any, grace: int) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=grace,
        )
    )


@contextlib.asynccontextmanager
async def _signals(servers: list[_Server]) -> AsyncIterator[None]:
    def leave() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, leave)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _bound(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"TOUCHLINE_{setting}: {host}:{port} cannot be listened on ({error.strerror})"
        ) from error
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
