"""A real HTTP server that takes webhooks as a careful receiver would, and fails as the world does."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.alerts.messages import signature

SECRET = b"0123456789abcdef01234567"
WRITTEN_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@dataclass
class Receiver:
    """Processes each id once, whatever it answers; `failing` is the share of requests that end badly.

    Bad ends: status 500 before or after it was processed, a connection reset before or after, and no answer at all.
    """

    url: str = ""
    failing: float = 0.0
    status: int = 200
    asked: Counter[str] = field(default_factory=Counter)
    processed: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
                body = await reader.readexactly(int(headers["content-length"]))
                if not await self._answer(headers, body, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter) -> bool:
        key = headers["webhook-id"]
        self.asked[key] += 1
        if headers["webhook-signature"] != signature(SECRET, key, int(headers["webhook-timestamp"]), body):
            self.wrong.append(key)
        bad = self.chance.random() < self.failing
        how = self.chance.choice(["500", "500 after", "reset", "reset after", "silence"]) if bad else ""
        if (not bad or "after" in how) and self.status == 200:
            self.processed.setdefault(key, json.loads(body))
            self.arrived.setdefault(key, asyncio.get_running_loop().time())
        if how == "silence":
            await asyncio.sleep(3600)
        if "reset" in how:
            return False
        status = 500 if bad else self.status
        writer.write(f"HTTP/1.1 {status} Fine\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        return True


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    """A receiver that listens for as long as the block runs."""
    receiver = Receiver(**how)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?token=verysecret"
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def plan_file(**urls: str) -> str:
    """A plan that tells every destination of everything; one that is called dead is soon given up."""
    destinations = "".join(
        f'[destinations.{name}]\nkind = "webhook"\nurl = "{url}"\nsecret = "{WRITTEN_SECRET}"\ntimeout_seconds = 1\n'
        f"give_up_hours = {0.001 if name == 'dead' else 1}\n"
        for name, url in urls.items()
    )
    return f"{destinations}[[routes]]\ndestinations = {json.dumps(list(urls))}\n"
