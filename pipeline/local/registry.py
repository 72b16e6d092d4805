"""A schema registry for tests and trials: Confluent's interface, as far as Touchline needs it, over real HTTP.

It refuses what `schemas.compatibility` refuses. It can be out of reach for a while, and keeps what it has meanwhile.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from pipeline.local.registry_store import INVALID_SCHEMA, RegistryError, Store

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SchemaRegistry:
    """The store behind HTTP, or HTTPS with a certificate, on a free port that it keeps."""

    def __init__(self, user: str = "", password: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.store = Store()
        self.asked: Counter[str] = Counter()
        """How often what was asked for, by method and path."""
        self._credentials = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""
        self._tls = tls
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.come_back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go_away()

    async def come_back(self) -> None:
        """Answer, where it was before."""
        self._runner = web.AppRunner(self._app())
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def go_away(self) -> None:
        """Be out of reach: connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._counted])
        app.router.add_get("/schemas/ids/{id}", self._schema)
        app.router.add_post("/subjects/{subject}", self._find)
        app.router.add_post("/subjects/{subject}/versions", self._register)
        app.router.add_get("/subjects/{subject}/versions/{version}", self._version)
        app.router.add_post("/compatibility/subjects/{subject}/versions/{version}", self._compatible)
        return app

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked[f"{request.method} {request.path}"] += 1
        if self._credentials and request.headers.get("Authorization") != self._credentials:
            return _refusal(RegistryError(401, "Unauthorized"))
        try:
            return await handler(request)
        except RegistryError as error:
            return _refusal(error)

    async def _schema(self, request: web.Request) -> web.Response:
        return web.json_response({"schema": self.store.schema(int(request.match_info["id"]))})

    async def _find(self, request: web.Request) -> web.Response:
        return web.json_response(self.store.find(request.match_info["subject"], await _text(request)))

    async def _register(self, request: web.Request) -> web.Response:
        return web.json_response({"id": self.store.register(request.match_info["subject"], await _text(request))})

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response(self.store.version(request.match_info["subject"], request.match_info["version"]))

    async def _compatible(self, request: web.Request) -> web.Response:
        subject = request.match_info["subject"]
        self.store.version(subject, request.match_info["version"])
        problems = self.store.problems(subject, await _text(request))
        return web.json_response({"is_compatible": not problems, "messages": problems})


def _refusal(error: RegistryError) -> web.Response:
    return web.json_response({"error_code": error.code, "message": str(error)}, status=error.status)


async def _text(request: web.Request) -> str:
    try:
        return str(json.loads(await request.text())["schema"])
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(INVALID_SCHEMA, "Invalid schema: no schema given") from error
