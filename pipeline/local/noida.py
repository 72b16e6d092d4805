"""noida-db as a stand-in broker where there is no Java."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.local import broker

WARNING = "the stand-in broker noida-db keeps nothing safe: good for a first look, never for data you need"


class Noida:
    """The Kafka part of noida-db, alone, on one loopback port.

    It has no retention, loses acknowledged records on SIGKILL and never re-elects a killed group leader.
    """

    name = "kafka"
    start_seconds = 30.0
    stop_seconds = 15.0

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.log = folder / "noida.log"

    async def prepare(self) -> None:
        """Make the folder. Raises ConfigurationError when the wheel is not installed."""
        if importlib.util.find_spec("noida_db") is None:
            raise ConfigurationError("the stand-in broker is missing: `pip install noida-db`, or install Java 17")
        if not os.access(_binary(), os.X_OK):
            _binary().chmod(0o755)
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Return the foreground command: the wheel's binary itself, so that the child is the server."""
        ports = ["--host", "127.0.0.1", "--kafka-port", str(self.port)]
        return [str(_binary()), "start", "--only", "kafka", *ports, "--data-dir", str(self.folder)]

    def environment(self) -> Mapping[str, str]:
        """Return no variables."""
        return {}

    async def ready(self) -> bool:
        """Tell whether the broker answers metadata requests."""
        return await broker.answers(self.port)


def _binary() -> Path:
    return Path(str(files("noida_db").joinpath("noida-db")))
