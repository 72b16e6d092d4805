"""The front as a server of the stack."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.local.password import password_of


class ClickHouse:
    """The engine in process behind its HTTP front, on one loopback port; data and password in `folder`."""

    name = "clickhouse"
    start_seconds = 60.0
    stop_seconds = 15.0

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.log = folder / "front.log"

    @property
    def password(self) -> str:
        """The password of user `default`, made at the first call."""
        return password_of(self.folder)

    async def prepare(self) -> None:
        """Make the folder and the password."""
        self.folder.mkdir(parents=True, exist_ok=True)
        password_of(self.folder)

    def command(self) -> list[str]:
        """Return the command that serves in the foreground."""
        module = ["-m", "pipeline.local.front"]
        return [sys.executable, *module, "--data", str(self.folder), "--port", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        """Make the engine's default zone UTC and the project importable from any folder."""
        root = str(Path(__file__).resolve().parents[2])
        known = os.environ.get("PYTHONPATH")
        return {"TZ": "UTC", "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}

    async def ready(self) -> bool:
        """Tell whether the front answers `/ping`."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(f"GET /ping HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n".encode())
            async with asyncio.timeout(2):
                return b" 200 " in await reader.readline()
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
