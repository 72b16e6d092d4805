"""A whole Touchline on one machine: the local stack, and beside it one process for every role."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline import readiness, topics
from pipeline.collector.key_file import path_of
from pipeline.errors import UnavailableError
from pipeline.local.child import POLL_SECONDS, Child
from pipeline.local.password import forget_key_of
from pipeline.local.server import free_port, is_free
from pipeline.local.stack import BACKOFF_FIRST, BACKOFF_MOST, STEADY_SECONDS, Endpoints, LocalStack, to_stderr
from pipeline.settings import Settings
from sinks.clickhouse import connect
from sinks.migrate import migrate

ROLES = ("collector", "customers", "alerts", "landing")
DELIVERY = "delivery"
"""One more role, where somebody is to be told of alerts."""
LOCAL_PARTITIONS = 4
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Keys:
    """The keys of an installation, kept in its data folder, readable by its owner only."""

    write: str
    read: str

    @classmethod
    def of(cls, data: Path) -> Keys:
        """The folder's keys, made at the first call."""
        file = data / "keys.json"
        if not file.exists():
            draft = data / "keys.json.new"
            draft.touch(mode=0o600)
            keys = {"write": "wk_" + secrets.token_urlsafe(24), "read": "rk_" + secrets.token_urlsafe(24)}
            draft.write_text(json.dumps(keys))
            draft.replace(file)
        return cls(**json.loads(file.read_text()))


class Installation:
    """Kafka, ClickHouse, collector, customers, alerts and landing, owned by this process and gone with it."""

    def __init__(self, settings: Settings, data: Path, on_event: Callable[[str], None] = to_stderr) -> None:
        self._settings = settings
        self._data = data.resolve()
        self._tell = on_event
        self._names = (*ROLES, DELIVERY) if settings.alerts else ROLES
        self._stack = LocalStack(self._data, settings.local_broker, on_event)
        self._roles: dict[str, Child] = {}
        self._environment: dict[str, str] = {}

    @property
    def endpoints(self) -> Endpoints:
        """How to reach it; `extra` holds collector_url, private_url, write_key, read_key, and health: a URL by role."""
        return self._stack.endpoints

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        endpoints = await self._stack.start()
        keys = Keys.of(self._data)
        self._environment = self._settings_of(endpoints, keys)
        await self._prepare(endpoints)
        facts = dict(zip(self._names, await asyncio.gather(*map(self._launch, self._names)), strict=True))
        self._stack.publish(
            {
                "collector_url": facts["collector"]["url"],
                "private_url": facts["collector"]["private_url"],
                "write_key": keys.write,
                "read_key": keys.read,
                "roles": {name: child.pid for name, child in self._roles.items()},
                "health": {name: its["url"] for name, its in facts.items()},
            }
        )

    async def _prepare(self, endpoints: Endpoints) -> None:
        """Make the topics and the tables before anything needs them."""
        making = topics.Making(LOCAL_PARTITIONS, 1, self._settings.retention_hours)
        await topics.ensure(endpoints.kafka_url, making)
        async with await connect(
            endpoints.clickhouse_url, endpoints.clickhouse_user, endpoints.clickhouse_password
        ) as client:
            await migrate(client, self._settings)

    def _settings_of(self, endpoints: Endpoints, keys: Keys) -> dict[str, str]:
        return {
            **passed_on(self._settings),
            "TOUCHLINE_KAFKA_URL": endpoints.kafka_url,
            "TOUCHLINE_CLICKHOUSE_URL": endpoints.clickhouse_url,
            "TOUCHLINE_CLICKHOUSE_USER": endpoints.clickhouse_user,
            "TOUCHLINE_CLICKHOUSE_PASSWORD": endpoints.clickhouse_password,
            "TOUCHLINE_PARTITIONS": str(LOCAL_PARTITIONS),
            "TOUCHLINE_WRITE_KEYS": keys.write,
            "TOUCHLINE_KEYS_FILE": str(path_of(self._settings, self._data).resolve()),
            "TOUCHLINE_READ_KEY": keys.read,
            "TOUCHLINE_FORGET_KEY": self._settings.forget_key or forget_key_of(self._data),
            "TOUCHLINE_COLLECTOR_HOST": "127.0.0.1",
            "TOUCHLINE_COLLECTOR_PORT": str(_preferred(self._settings.collector_port)),
            "TOUCHLINE_COLLECTOR_PRIVATE_PORT": str(_preferred(self._settings.collector_private_port)),
            "TOUCHLINE_WORKER_HOST": "127.0.0.1",
            "TOUCHLINE_WORKER_PORT": "0",
        }

    async def _launch(self, role: str) -> dict[str, Any]:
        """Start a role and wait until it is ready; what it announced."""
        folder = self._data / "roles"
        folder.mkdir(exist_ok=True)
        ready = folder / f"{role}.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pipeline.roles", role]
        log = folder / f"{role}.log"
        child = Child.start(role, command, log, {**self._environment, readiness.VARIABLE: str(ready)})
        self._roles[role] = child
        until = time.monotonic() + _START_SECONDS
        while (facts := readiness.read(ready)) is None:
            if not child.alive:
                raise UnavailableError(f"{role} ended while starting ({child.tail()}); see {log}")
            if time.monotonic() > until:
                raise UnavailableError(f"{role} was not ready within {_START_SECONDS:g} s; see {log}")
            await asyncio.sleep(POLL_SECONDS)
        return facts

    @property
    def environment(self) -> dict[str, str]:
        """The settings that one more worker of this installation needs."""
        return dict(self._environment)

    def role(self, name: str) -> Child:
        """The process of a role as it is now, to signal or stop it."""
        return self._roles[name]

    @property
    def stack(self) -> LocalStack:
        """Kafka and ClickHouse, to restart one of them."""
        return self._stack

    async def relaunch(self, role: str) -> None:
        """Start a role anew, in place of the process it had."""
        await self._roles[role].stop(_STOP_SECONDS)
        facts = await self._launch(role)
        self._stack.publish(
            {
                "roles": {name: child.pid for name, child in self._roles.items()},
                "health": {**self.endpoints.extra["health"], role: facts["url"]},
            }
        )

    async def watch(self) -> None:
        """Start again whatever dies, with growing delays, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stack.watch())
            for role in self._names:
                group.create_task(self._watch(role))

    async def _watch(self, role: str) -> None:
        delay = BACKOFF_FIRST
        while True:
            child = self._roles[role]
            status = await child.wait()
            if time.monotonic() - child.started > STEADY_SECONDS:
                delay = BACKOFF_FIRST
            self._tell(f"{role} ended (status {status}); starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, BACKOFF_MOST)
            try:
                await self.relaunch(role)
            except UnavailableError as error:
                self._tell(str(error))

    async def stop(self) -> None:
        """Stop the roles, those that write first, then the stack. Safe to call twice."""
        for role in self._names:
            if child := self._roles.pop(role, None):
                await child.stop(_STOP_SECONDS)
        await self._stack.stop()


def passed_on(settings: Settings) -> dict[str, str]:
    """The settings that were given, as the variables a role reads them from; a default is not given."""
    given = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {
        f"TOUCHLINE_{name.upper()}": json.dumps(value) if isinstance(value, dict) else str(value)
        for name, value in given.items()
    }


def _preferred(port: int) -> int:
    """The port asked for while it is free, so that the address stays the same; else any."""
    return port if port and is_free(port) else free_port()
