"""The roles of deploy/compose.yaml as processes: its commands and its settings, on other addresses."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from pipeline.local.child import Child
from pipeline.local.server import free_port
from tests.deploy.composed import DEPLOY, compose, environment, filled
from tests.deploy.servers import Servers

PYTHON = Path(os.environ.get("TOUCHLINE_TEST_PYTHON") or sys.executable)
"""The interpreter whose `touchline` is run: that of the image's steps, say (tests/deploy/image.py)."""
TOUCHLINE = PYTHON.parent / "touchline"

STARTED = ("collector", "customers", "landing", "alerts")
START_SECONDS = 90.0


@dataclass
class Fleet:
    """The processes, and where they listen."""

    servers: Servers
    folder: Path
    variables: dict[str, str] = field(default_factory=lambda: filled({}))
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)

    def settings(self, service: str) -> dict[str, str]:
        """A service's variables, with the addresses of this machine in place of those between containers."""
        found = environment(compose(self.variables)["services"][service])
        port, private = self.ports.setdefault(service, free_port()), self.ports.setdefault(f"{service}:", free_port())
        here = {
            "TOUCHLINE_KAFKA_URL": self.servers.kafka_url,
            "TOUCHLINE_CLICKHOUSE_URL": self.servers.clickhouse_url,
            "TOUCHLINE_CLICKHOUSE_USER": self.servers.user,
            "TOUCHLINE_CLICKHOUSE_PASSWORD": self.servers.password,
            "TOUCHLINE_SCHEMA_REGISTRY_URL": self.servers.registry_url,
        }
        assert here.keys() <= found.keys(), "compose.yaml says where each server is"
        if "TOUCHLINE_ALERTS" in found:
            found["TOUCHLINE_ALERTS"] = found["TOUCHLINE_ALERTS"].replace("/etc/touchline", str(DEPLOY / "config"))
        listen = {
            "TOUCHLINE_COLLECTOR_PORT": str(port),
            "TOUCHLINE_COLLECTOR_PRIVATE_PORT": str(private),
            "TOUCHLINE_WORKER_PORT": str(port),
        }
        return {**found, **here, **listen, "TOUCHLINE_PARTITIONS": "2", "TOUCHLINE_LOG_LEVEL": "DEBUG"}

    def path(self) -> dict[str, str]:
        """Where the code under test is: this working tree, or what is installed beside another interpreter."""
        return {"PYTHONPATH": str(DEPLOY.parent) if Path(sys.executable) == PYTHON else ""}

    def start(self, service: str) -> Child:
        """Start a service's command."""
        command = [str(TOUCHLINE), *compose(self.variables)["services"][service]["command"]]
        log = self.folder / f"{service}.log"
        child = Child.start(service, command, log, {**self.settings(service), **self.path()})
        self.children[service] = child
        return child

    def url(self, service: str, *, private: bool = False) -> str:
        """Where a service listens; `private` matters for the collector only, which has two listeners."""
        return f"http://127.0.0.1:{self.ports[f'{service}:' if private else service]}"

    async def until_ready(self, service: str) -> None:
        """Return when /readyz says so."""
        until = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient() as http:
            while True:
                try:
                    answer = await http.get(self.url(service) + "/readyz", timeout=10)
                    if answer.status_code == 200:
                        return
                    said = answer.text
                except httpx.HTTPError as error:
                    said = repr(error)
                assert self.children[service].alive, self.children[service].tail(20)
                assert time.monotonic() < until, (service, said, self.children[service].tail(5))
                await asyncio.sleep(0.1)

    async def metrics(self, service: str) -> str:
        """What a service shows to Prometheus."""
        url = self.url(service, private=service == "collector")
        async with httpx.AsyncClient() as http:
            return (await http.get(url + "/metrics", timeout=30)).raise_for_status().text

    def log(self, service: str) -> str:
        """All that a service has printed."""
        return (self.folder / f"{service}.log").read_text()

    async def stop(self) -> None:
        """Stop them all."""
        await asyncio.gather(*(child.stop(20.0) for child in self.children.values()))


@asynccontextmanager
async def fleet(servers: Servers, folder: Path) -> AsyncIterator[Fleet]:
    """Migrate, then run the roles, as compose does; all are ready."""
    made = Fleet(servers, folder)
    try:
        migrating = made.start("migrate")
        assert await migrating.wait(START_SECONDS) == 0, migrating.tail(20)
        for service in STARTED:
            made.start(service)
        for service in STARTED:
            await made.until_ready(service)
        yield made
    finally:
        await made.stop()
