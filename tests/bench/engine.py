"""The local engine asked through its HTTP front, with what each answer cost."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Answer:
    """What a query cost: seconds until the last byte, CPU seconds of the whole engine meanwhile, what it read."""

    seconds: float
    cpu_seconds: float
    rows_read: int
    bytes_read: int
    rows: int
    memory_mb: float
    """The most resident memory of the whole engine meanwhile, merges and caches included."""


@dataclass(frozen=True)
class Engine:
    """One running front."""

    url: str
    password: str
    pid: int
    http: httpx.AsyncClient

    async def text(self, query: str, **parameters: Any) -> str:
        """Run a statement in the database touchline; raises RuntimeError with the engine's words."""
        return (await self._post(query, parameters)).text

    async def ask(self, query: str) -> Answer:
        """Run a query and read all of its answer."""
        self._forget_peak()
        cpu, began = self.cpu(), time.perf_counter()
        response = await self._post(query, {})
        seconds = time.perf_counter() - began
        summary = json.loads(response.headers["X-ClickHouse-Summary"])
        return Answer(
            seconds,
            self.cpu() - cpu,
            int(summary["read_rows"]),
            int(summary["read_bytes"]),
            int(summary["result_rows"]),
            self._peak_mb(),
        )

    async def count(self, table: str) -> int:
        """How many rows a table holds."""
        return int(await self.text(f"SELECT count() FROM {table}"))

    async def names(self) -> set[str]:
        """All tables and views."""
        return set((await self.text("SELECT name FROM system.tables WHERE database = 'touchline'")).split())

    async def _post(self, query: str, parameters: dict[str, Any]) -> httpx.Response:
        given = {f"param_{name}": str(value) for name, value in parameters.items()}
        response = await self.http.post(self.url, params={"database": "touchline", **given}, content=query)
        if response.status_code != 200:
            raise RuntimeError(f"{query[:200]}: {response.text[:500]}")
        return response

    def cpu(self) -> float:
        """CPU seconds that the engine has used so far, in hundredths."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _forget_peak(self) -> None:
        """Make VmHWM begin anew (proc(5): 5 into clear_refs)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _peak_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
