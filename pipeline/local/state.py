"""What a running stack says of itself in its folder: a lock, and stack.json beside it."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.errors import ConfigurationError, UnavailableError

LOCK_SECONDS = 3.0


@dataclass(frozen=True)
class Endpoints:
    """How to reach a stack: Kafka as host:port, ClickHouse as a URL without credentials, process ids by name.

    `extra` is whatever the owner published beside it, such as the collector's URL and keys.
    """

    kafka_url: str
    clickhouse_url: str
    clickhouse_user: str
    clickhouse_password: str = field(repr=False)
    data: Path
    pids: dict[str, int]
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)


class State:
    """The lock and the file of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._file = data / "stack.json"
        self._lock = data / "lock"
        self._descriptor: int | None = None

    def claim(self) -> None:
        """Become the folder's only owner until `release` or the end of the process.

        Raises UnavailableError when another process owns it, ConfigurationError when the folder cannot be
        written.
        """
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"{self.data} cannot be used as a data folder: {error.strerror}; choose another"
            ) from error
        until = time.monotonic() + LOCK_SECONDS
        while not _try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > until:
                os.close(descriptor)
                raise UnavailableError(f"a stack already runs on {self.data}: stop it, or use another folder")
            time.sleep(0.05)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the folder up; safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_owned(self) -> bool:
        """Tell whether some process owns the folder now."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR)
        except OSError:
            return False
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def load(self) -> dict[str, Any]:
        """Return what was saved last, or nothing when it is missing or unreadable."""
        try:
            found = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def save(self, content: Mapping[str, Any]) -> None:
        """Replace the file in one step; only its owner may read it."""
        descriptor, draft = tempfile.mkstemp(prefix="stack-", suffix=".json", dir=self.data)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=1)
        Path(draft).replace(self._file)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def running(data: Path) -> Endpoints | None:
    """Return how to reach the stack that runs on this folder and is ready, else None. Starts nothing."""
    state = State(data)
    if not state.is_owned():
        return None
    content = state.load()
    if not content.get("ready"):
        return None
    try:
        known = dict(content["endpoints"])
        return Endpoints(**{**known, "data": Path(known["data"]), "extra": content.get("extra", {})})
    except (KeyError, TypeError):
        return None


def to_json(endpoints: Endpoints) -> dict[str, Any]:
    """Return endpoints as JSON takes them, without `extra`."""
    names = [each.name for each in fields(endpoints) if each.name != "extra"]
    return {name: getattr(endpoints, name) for name in names} | {"data": str(endpoints.data)}
