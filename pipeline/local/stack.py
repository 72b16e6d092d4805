"""The local stack: Kafka and ClickHouse as children of this process, in one data folder.

    async with LocalStack(data) as endpoints:
        ...

Folder: lock and stack.json (state.py), kafka/, clickhouse/. Another command finds a running stack with
`running(data)`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Literal

from pipeline.errors import ConfigurationError, TouchlineError, UnavailableError
from pipeline.local import noida
from pipeline.local.child import POLL_SECONDS, Child
from pipeline.local.clickhouse import ClickHouse
from pipeline.local.jars import kafka_jars
from pipeline.local.java import find_java
from pipeline.local.kafka import Kafka
from pipeline.local.server import Server, free_port, is_free
from pipeline.local.state import Endpoints, State, running, to_json

__all__ = ["Endpoints", "LocalStack", "running"]

Name = Literal["kafka", "clickhouse"]
BACKOFF_FIRST = 0.2
BACKOFF_MOST = 10.0
RELEASE_SECONDS = 2.0
STEADY_SECONDS = 30.0
"""A child that ran this long before it died starts again with the shortest delay."""


def to_stderr(message: str) -> None:
    """Print one line to standard error."""
    sys.stderr.write(message + "\n")


class LocalStack:
    """Kafka and ClickHouse on free loopback ports, their data in one folder.

    One process owns a folder at a time. Ports are chosen once and kept while free, so that clients find a
    restarted server where it was. Children die with the owner. What was acknowledged survives stop, restart
    and SIGKILL of anything here (with the stand-in broker it does not), but not a power cut.
    """

    def __init__(
        self,
        data: Path,
        broker: Literal["auto", "kafka", "noida"] = "auto",
        on_event: Callable[[str], None] = to_stderr,
    ) -> None:
        self._state = State(data.resolve())
        self._broker = broker
        self._tell = on_event
        self._servers: dict[str, Server] = {}
        self._children: dict[str, Child] = {}
        self._busy: dict[str, asyncio.Lock] = {}
        self._endpoints: Endpoints | None = None
        self._ready = False
        self._kept: dict[str, Any] = {}

    async def __aenter__(self) -> Endpoints:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def endpoints(self) -> Endpoints:
        """How to reach the stack, with the process ids of now. Raises UnavailableError before `start`."""
        if self._endpoints is None:
            raise UnavailableError("the local stack is not running: start it first")
        return self._endpoints

    async def start(self) -> Endpoints:
        """Start both servers side by side; return when both answer.

        Raises UnavailableError (folder owned by another, a server does not come up) or ConfigurationError (no
        Java, no jars, folder not writable); then nothing is left running.
        """
        self._state.claim()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self.endpoints

    async def _start(self) -> None:
        data, known = self._state.data, self._state.load()
        ports = await _ports(known.get("ports", {}))
        self._kept = {"ports": ports, "broker": known.get("broker")}
        self._state.save({**self._kept, "ready": False})
        clickhouse = ClickHouse(data / "clickhouse", ports["clickhouse"])
        kafka = await self._choose_broker(ports, known.get("broker"))
        self._kept["broker"] = "noida" if isinstance(kafka, noida.Noida) else "kafka"
        self._servers = {"kafka": kafka, "clickhouse": clickhouse}
        self._busy = {name: asyncio.Lock() for name in self._servers}
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._servers:
                    group.create_task(self._launch(name))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        self._endpoints = Endpoints(
            kafka_url=f"127.0.0.1:{ports['kafka']}",
            clickhouse_url=f"http://127.0.0.1:{ports['clickhouse']}",
            clickhouse_user="default",
            clickhouse_password=clickhouse.password,
            data=data,
            pids=self._pids(),
        )
        self._ready = True
        self._save()

    async def stop(self) -> None:
        """Take the ready mark away, stop both servers cleanly, give the folder up. Safe to call twice."""
        self._ready = False
        if self._endpoints is not None:
            self._save()
        try:
            await asyncio.gather(*(self._end(name) for name in list(self._children)))
        finally:
            self._children.clear()
            self._endpoints = None
            self._state.release()

    async def restart(self, name: Name) -> None:
        """Stop one server if it runs and start it again on the same ports; return when it answers."""
        async with self._busy[name]:
            await self._end(name)
            await self._launch(name)
        self._refresh()

    def child(self, name: Name) -> Child:
        """Return the process of one server as it is now, to signal or stop it."""
        return self._children[name]

    def publish(self, extra: Mapping[str, Any]) -> None:
        """Add to what `running` shows others (JSON values only); later calls replace equal names."""
        self._endpoints = replace(self.endpoints, extra=MappingProxyType({**self.endpoints.extra, **extra}))
        self._save()

    async def watch(self) -> None:
        """Start a server that dies again, on the same ports, until cancelled; delays grow to 10 s."""
        async with asyncio.TaskGroup() as group:
            for name in self._servers:
                group.create_task(self._watch(name))

    async def _watch(self, name: str) -> None:
        delay = BACKOFF_FIRST
        while True:
            await asyncio.sleep(0.1)
            child = self._children[name]
            if child.alive or self._busy[name].locked():
                continue
            if time.monotonic() - child.started > STEADY_SECONDS:
                delay = BACKOFF_FIRST
            self._tell(f"{name} ended (status {child.returncode}); starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, BACKOFF_MOST)
            await self._revive(name, child)

    async def _revive(self, name: str, dead: Child) -> None:
        async with self._busy[name]:
            if self._children[name] is not dead:
                return
            await self._end(name)
            try:
                await self._launch(name)
            except TouchlineError as error:
                self._tell(str(error))
                return
        self._refresh()
        self._tell(f"{name} answers again")

    async def _launch(self, name: str) -> None:
        server = self._servers[name]
        await server.prepare()
        child = Child.start(name, server.command(), server.log, server.environment())
        self._children[name] = child
        until = time.monotonic() + server.start_seconds
        while not await server.ready():
            if not child.alive:
                raise UnavailableError(f"{name} ended while starting ({child.tail()}); see {server.log}")
            if time.monotonic() > until:
                await child.stop(grace=1.0)
                raise UnavailableError(f"{name} did not answer within {server.start_seconds:.0f} s; see {server.log}")
            await asyncio.sleep(POLL_SECONDS)

    async def _end(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None:
            await child.stop(self._servers[name].stop_seconds)

    async def _choose_broker(self, ports: Mapping[str, int], last: str | None) -> Server:
        """Return the broker asked for; `auto` means the folder's own, else Kafka, else the stand-in."""
        kafka = Kafka(self._state.data / "kafka", ports["kafka"], ports["kafka_controller"])
        stand_in = noida.Noida(self._state.data / "noida", ports["kafka"])
        choice, reason = (last or "auto") if self._broker == "auto" else self._broker, ""
        if choice == "auto":
            reason = await _missing()
        if choice == "kafka" or (choice == "auto" and not reason):
            return kafka
        self._tell(f"{reason}; {noida.WARNING}" if reason else noida.WARNING)
        return stand_in

    def _pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self._children.items()}

    def _refresh(self) -> None:
        if self._endpoints is not None:
            self._endpoints = replace(self._endpoints, pids=self._pids())
            self._save()

    def _save(self) -> None:
        endpoints = self.endpoints
        self._state.save(
            {
                **self._kept,
                "ready": self._ready,
                "owner": os.getpid(),
                "endpoints": to_json(endpoints),
                "extra": dict(endpoints.extra),
            }
        )


async def _missing() -> str:
    """Return what Kafka lacks on this machine, or nothing; fetches the jars when it can."""
    try:
        find_java()
        await kafka_jars()
    except (ConfigurationError, UnavailableError) as error:
        return str(error)
    return ""


async def _ports(known: Mapping[str, Any]) -> dict[str, int]:
    """Return the ports of the last time as far as they are still free, else new ones.

    A server that was killed a moment ago may hold its port until its last thread has ended.
    """
    until = time.monotonic() + RELEASE_SECONDS
    ports: dict[str, int] = {}
    for name in ("kafka", "kafka_controller", "clickhouse"):
        port = known.get(name)
        while isinstance(port, int) and not is_free(port) and time.monotonic() < until:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(POLL_SECONDS)
        while not isinstance(port, int) or port in ports.values() or not is_free(port):
            port = free_port()
        ports[name] = port
    return ports
