"""A gate in front of a real ClickHouse: it lets everything through, but for one insert at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import ClientSession, web

from pipeline.local.server import free_port

When = Literal["before", "after"]
"""Before the insert has reached the server, or after the server has done it and before it has said so."""

_HOP_BY_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding"}


class Gate:
    """Notes when inserts into the watched tables arrive and are answered; keeps or cuts the one it is told to."""

    def __init__(self, server_url: str, port: int, *watched: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.events: list[tuple[str, str]] = []
        """(table, "arrived" or "answered"), in order."""
        self.reached = asyncio.Event()
        """Set when the chosen moment has come."""
        self._server_url = server_url
        self._watched = watched
        self._chosen: tuple[str, When] | None = None
        self._let_go: asyncio.Event | None = None
        self._held: list[asyncio.Event] = []
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()

    def keep(self, table: str, when: When) -> asyncio.Event:
        """Hold the next insert into a table at this moment, until the event returned is set."""
        self._chosen, self._let_go = (table, when), asyncio.Event()
        self._held.append(self._let_go)
        self.reached.clear()
        return self._let_go

    def cut(self, table: str, when: When) -> None:
        """Cut the connection of the next insert into a table at this moment, once."""
        self._chosen, self._let_go = (table, when), None
        self.reached.clear()

    async def release(self) -> None:
        """Let go of all that is held, and return when it has reached the server; whoever sent it may be gone."""
        for held in self._held:
            held.set()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass one request on, and its answer back."""
        passing = asyncio.create_task(self._pass(request))
        self._under_way.add(passing)
        passing.add_done_callback(self._under_way.discard)
        return await asyncio.shield(passing)

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        table = self._table(request.query.get("query", "").encode() + b" " + body[:200])
        if table:
            self.events.append((table, "arrived"))
        await self._moment(request, table, "before")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        async with (
            ClientSession(self._server_url) as session,
            session.request(request.method, request.path_qs, data=body, headers=headers) as answer,
        ):
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        await self._moment(request, table, "after")
        if table:
            self.events.append((table, "answered"))
        return web.Response(status=answer.status, body=content, headers=kept)

    def _table(self, text: bytes) -> str | None:
        if b"INSERT" not in text.upper():
            return None
        return next((table for table in self._watched if table.encode() in text), None)

    async def _moment(self, request: web.Request, table: str | None, when: When) -> None:
        if table is None or self._chosen != (table, when):
            return
        self._chosen, let_go = None, self._let_go
        self.reached.set()
        if let_go is not None:
            await let_go.wait()
        elif request.transport is not None:
            request.transport.abort()


@asynccontextmanager
async def gate(server_url: str, *watched: str) -> AsyncIterator[Gate]:
    """Open a gate that watches inserts into these tables."""
    port = free_port()
    opened = Gate(server_url, port, *watched)
    app = web.Application(client_max_size=1 << 28)
    app.router.add_route("*", "/{path:.*}", opened.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield opened
    finally:
        await opened.release()
        await runner.cleanup()
