"""Runs the collector: the public and the private listener in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from pipeline.collector import private
from pipeline.collector.app import build
from pipeline.collector.orders import Orders
from pipeline.console.warehouse import Warehouse
from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.forgotten_log import follow
from pipeline.listener import Listener, bound, url_of
from pipeline.publisher import Publisher
from pipeline.registry import schema_ids_at_last
from pipeline.settings import Settings

log = logging.getLogger(__name__)

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
    publisher = Publisher(settings.kafka_url, settings.ack_timeout_seconds, settings.ready_after_seconds)
    ids = await schema_ids_at_last(settings)
    collector = build(settings, publisher, ids)
    orders, warehouse = Orders(publisher, ids), Warehouse(settings)
    host, port = settings.collector_private_host, settings.collector_private_port
    with (
        bound(settings.collector_host, settings.collector_port, "COLLECTOR_PORT") as public_socket,
        bound(host, port, "COLLECTOR_PRIVATE_PORT") as private_socket,
    ):
        grace = int(settings.ack_timeout_seconds) + _GRACE_SECONDS
        servers = [
            (Listener(collector.app, grace), public_socket),
            (Listener(private.build(settings, collector.metrics, orders, warehouse), grace), private_socket),
        ]
        listening = Listening(url_of(public_socket), url_of(private_socket))
        connecting = asyncio.create_task(_connect(publisher))
        following = asyncio.create_task(follow(settings.kafka_url, collector.forgotten))
        try:
            await _run(servers, lambda: on_ready(listening))
        finally:
            connecting.cancel()
            following.cancel()
            await asyncio.wait({connecting, following})
            if collector.clicks is not None:
                await collector.clicks.finish(settings.ack_timeout_seconds)
            await publisher.stop()
            await warehouse.close()


async def _connect(publisher: Publisher) -> None:
    """Save the first request the wait, if Kafka is there."""
    try:
        await publisher.start()
    except UnavailableError as error:
        log.warning("not ready: %s", error)


async def _run(servers: list[tuple[Listener, socket.socket]], on_ready: Callable[[], None]) -> None:
    """Run all servers until a signal asks them to end."""
    async with _signals([server for server, _ in servers]), asyncio.TaskGroup() as group:
        for server, its_socket in servers:
            group.create_task(server.serve(sockets=[its_socket]))
        for server, _ in servers:
            await server.listening.wait()
        on_ready()


@contextlib.asynccontextmanager
async def _signals(servers: list[Listener]) -> AsyncIterator[None]:
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
