"""ClickHouse's HTTP interface over the engine in process.

Run as `python -m pipeline.local.front --data DIR --port P`. Listens on 127.0.0.1. Wants user `default` with
the password in DIR/password (made at random, mode 0600, when missing) and refuses what a browser page could
send. What it does not offer: sessions (each request is one of its own), external data, input(), INFILE and
OUTFILE, compressed answers.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import re
import signal
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from pipeline.local import request as asked
from pipeline.local.engine import Answer, Context, Engine, EngineError
from pipeline.local.password import password_of
from pipeline.local.statement import HEAD_BYTES, Insert, Query, Refused, is_insert, split

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

THREADS = 16
FORM_BYTES = 64 * 1024**2
LOCK_SECONDS = 10.0
GRACE_SECONDS = 5.0
STATUS = {
    **dict.fromkeys((6, 26, 27, 33, 36, 38, 41, 53, 62, 69, 72, 117, 386, 456, 457, 395), 400),
    **dict.fromkeys((164, 497, 516), 403),
    **dict.fromkeys((16, 46, 47, 50, 56, 60, 73, 81, 115), 404),
    48: 501,
}
CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
}
_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*(?:SETTINGS\b.*)?$", re.IGNORECASE | re.DOTALL)


class Front:
    """The handlers, over one engine and one pool of threads."""

    def __init__(self, engine: Engine, password: str, port: int) -> None:
        self._engine = engine
        self._password = password
        self._port = port
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="query")

    def application(self) -> web.Application:
        """Return the application: `/` takes statements, `/ping` tells that the engine is there."""
        app = web.Application(client_max_size=FORM_BYTES)
        for path, handler in (("/", self.statement), ("/ping", self.ping)):
            app.router.add_get(path, self._only_ours(handler))
        app.router.add_post("/", self._only_ours(self.statement))
        return app

    def _only_ours(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if asked.is_foreign(request, self._port):
                return web.Response(status=403, text="refused: sent by a web page, or for another host\n")
            return await handler(request)

        return guarded

    async def ping(self, _: web.Request) -> web.StreamResponse:
        """Answer `Ok.`, without a password, as ClickHouse does."""
        return web.Response(text="Ok.\n")

    async def statement(self, request: web.Request) -> web.StreamResponse:
        """Run one statement and answer with its result, or with the engine's own error."""
        began = time.perf_counter_ns()
        headers = {"X-ClickHouse-Query-Id": request.query.get("query_id") or str(uuid.uuid4())}
        try:
            if not asked.is_authentic(request, self._password):
                raise asked.refusal(
                    516,
                    f"{asked.USER}: Authentication failed: wrong user or password",
                    "AUTHENTICATION_FAILED",
                )
            sent = await asked.read(request)
            if request.method == "GET" and not sent.head:
                return web.Response(text="Ok.\n")
            answer = await self._run(sent, asked.context(request, sent.arguments), headers)
        except EngineError as error:
            return self._failed(error, headers)
        headers["X-ClickHouse-Summary"] = _summary(answer, time.perf_counter_ns() - began)
        headers["X-ClickHouse-Timezone"] = self._engine.timezone
        headers.setdefault("Content-Type", "text/plain; charset=UTF-8")
        return web.Response(body=answer.body, headers=headers)

    async def _run(self, sent: asked.Sent, context: Context, headers: dict[str, str]) -> Answer:
        head, rest = sent.head, sent.rest
        if rest and not is_insert(head):
            head, rest = head + b"\n" * ("query" in sent.arguments) + b"".join(rest), ()
        what = split(head)
        if isinstance(what, Refused):
            raise asked.refusal(what.code, what.reason, "SYNTAX_ERROR" if what.code == 62 else "NOT_IMPLEMENTED")
        loop = asyncio.get_running_loop()
        if isinstance(what, Insert):
            data = asked.pieces_of(what.data, rest)
            return await loop.run_in_executor(self._pool, self._engine.insert, what, data, context)
        if len(head) > HEAD_BYTES and "max_query_size" not in context.settings:
            context = _roomier(context, len(head))
        answer = await loop.run_in_executor(self._pool, self._engine.query, what, context)
        _describe(what, context, headers)
        return answer

    def _failed(self, error: EngineError, headers: dict[str, str]) -> web.Response:
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        text = str(error)
        if "(version " not in text:
            text = f"{text} (version {self._engine.version})"
        return web.Response(status=STATUS.get(error.code, 500), text=f"{text}\n", headers=headers)

    def close(self) -> None:
        """Wait for the running statements, then close the engine."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._engine.close()


def _roomier(context: Context, size: int) -> Context:
    settings = {**context.settings, "max_query_size": str(2 * size)}
    return Context(context.database, context.format, settings, context.parameters)


def _describe(query: Query, context: Context, headers: dict[str, str]) -> None:
    """Name the format of a result set, as ClickHouse does; a statement without one names none."""
    if query.returns_rows:
        found = _FORMAT.search(query.text)
        headers["X-ClickHouse-Format"] = found.group(1).decode() if found else context.format
        headers["Content-Type"] = CONTENT_TYPES.get(headers["X-ClickHouse-Format"], "application/octet-stream")


def _summary(answer: Answer, elapsed_ns: int) -> str:
    counts = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "total_rows_to_read": answer.read_rows,
        "result_rows": answer.result_rows,
        "result_bytes": len(answer.body),
        "elapsed_ns": elapsed_ns,
    }
    return json.dumps({name: str(count) for name, count in counts.items()})


async def serve(folder: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT; running statements get `GRACE_SECONDS` to end."""
    store = folder / "store"
    store.mkdir(parents=True, exist_ok=True)
    front = Front(Engine(store), password_of(folder), port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        front.application(),
        auto_decompress=False,
        access_log=None,
        shutdown_timeout=GRACE_SECONDS,
        keepalive_timeout=3600,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()
    front.close()


def claim(folder: Path) -> int:
    """Lock the folder for this process, waiting a little for a killed predecessor; -1 if another keeps it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return -1
            time.sleep(0.05)
        else:
            return descriptor


def main() -> int:
    """Read the command line and serve; exit status 2 when another process has the folder."""
    parser = argparse.ArgumentParser(description="ClickHouse's HTTP interface over the engine in process")
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables and the password")
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if claim(arguments.data) < 0:
        sys.stderr.write(f"another process serves {arguments.data}: stop it first\n")
        return 2
    asyncio.run(serve(arguments.data, arguments.port))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
