"""Running one Faust application until it is told to stop or cannot go on."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from agents import private
from agents.chunked_app import ChunkedApp
from agents.health import Health
from pipeline.errors import TouchlineError
from pipeline.listener import Listener, bound, url_of
from pipeline.settings import Settings

log = logging.getLogger(__name__)

_STOP_SECONDS = 8.0
_EXIT_SECONDS = 2.0
GC_THRESHOLD = 200_000
"""A chunk makes tens of thousands of objects and no cycles; at Python's 700 a sixth of the time goes into looking."""


Watch = Callable[[], Coroutine[Any, Any, None]]


async def run(
    app: ChunkedApp,
    settings: Settings,
    on_ready: Callable[[str], None] = lambda _: None,
    watch: Watch | None = None,
) -> None:
    """Run the application until SIGTERM or SIGINT; return when it has stopped cleanly.

    `on_ready` is called, with the address of its private listener, whenever it has its partitions and their states.
    `watch` runs beside it; what it raises ends the application. Raises what the application failed of; then nothing in
    flight was committed. Raises ConfigurationError when the address of the listener cannot be had.
    """
    health = Health(app, settings.ready_after_seconds)
    listener = Listener(private.build(health, app.metrics), grace_seconds=1)
    with bound(settings.worker_host, settings.worker_port, "WORKER_PORT") as its_socket:
        url = url_of(its_socket)
        serving = await _serve(listener, its_socket)
        log.info("/healthz, /readyz and /metrics at %s", url)
        try:
            await _until_told(app, lambda: on_ready(url), watch)
            listener.should_exit = True
            await _stop(app)
        finally:
            listener.should_exit = True
            await serving
    if app.failure is not None:
        raise app.failure


async def _serve(listener: Listener, its_socket: socket.socket) -> asyncio.Task[None]:
    """Answer questions about the application from now on, before it has its partitions."""
    serving = asyncio.create_task(listener.serve(sockets=[its_socket]))
    listening = asyncio.create_task(listener.listening.wait())
    await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    return serving


async def _until_told(app: ChunkedApp, on_ready: Callable[[], None], watch: Watch | None) -> None:
    """Start the application and return when it is told to stop or cannot go on."""
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    app.on_settled = on_ready

    @app.on_rebalance_complete.connect(weak=False)
    async def nothing_to_seek(*_: Any, **__: Any) -> None:
        if not app.consumer.assignment():
            app.settle()

    await app.start()
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(app.until_failed())]
    if watch is not None:
        waiting.append(asyncio.create_task(_watched(app, watch)))
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    if app.failure is not None:
        _leave(app.failure)


def _leave(failure: BaseException) -> None:
    """End the process with status 1 soon, whatever happens: after a failure Faust's own tasks may not let it end."""
    log.error("cannot go on: %s", failure)
    last_resort = threading.Timer(_STOP_SECONDS + _EXIT_SECONDS, os._exit, (1,))
    last_resort.daemon = True
    last_resort.start()


async def _watched(app: ChunkedApp, watch: Watch) -> None:
    try:
        await watch()
    except Exception as error:
        app.failed(error)


async def _stop(app: ChunkedApp) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            for close in app.closing:
                await close()
            await app.stop()
    except (TimeoutError, TouchlineError) as error:
        log.warning("did not stop cleanly: %r", error)
