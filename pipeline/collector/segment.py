"""POST /v1/track, /v1/batch and so on: what Segment's libraries send, as they send it.

Their write key is the user name of Basic authentication, or `writeKey` in a body that calls itself text/plain; the type
of a single event is in the path alone. The answer is the one they know, once Kafka has acknowledged.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.channels.envelope import Incoming
from pipeline.collector import described_feeds
from pipeline.collector.entry import Entry
from pipeline.collector.origins import preflight, readable_by
from pipeline.collector.webhooks import Webhooks
from pipeline.parsing import parse

SOURCE = "segment"
_KEPT = (200, 422)
"""What was refused is kept as well, and its library could do nothing about it."""
_MEMBER = b'"writeKey"'
CALLS: Mapping[str, str | None] = {
    "batch": None,
    "track": "track",
    "page": "page",
    "screen": "screen",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
"""The documented calls, and the type of their events; those of a batch say it themselves."""
SHORT: Mapping[str, str | None] = {
    "b": None,
    "import": None,
    "import/": None,
    "t": "track",
    "p": "page",
    "s": "screen",
    "i": "identify",
    "g": "group",
    "a": "alias",
}
"""The same as analytics.js and older libraries call them."""


def mount(app: FastAPI, webhooks: Webhooks, entry: Entry) -> None:
    """Add the calls to the app."""

    async def asked_before(request: Request) -> Response:
        return preflight(request, entry.origins())

    for call, kind in {**CALLS, **SHORT}.items():
        app.add_api_route(f"/v1/{call}", asked_before, methods=["OPTIONS"], include_in_schema=False)
        app.add_api_route(
            f"/v1/{call}",
            _endpoint(webhooks, entry, kind),
            methods=["POST"],
            operation_id=f"segment_{call}",
            include_in_schema=call in CALLS,
            **described_feeds.SEGMENT,
        )


def _endpoint(webhooks: Webhooks, entry: Entry, kind: str | None) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        response = await webhooks(request, SOURCE, partial(understood, kind=kind))
        if response.status_code in _KEPT:
            response = JSONResponse({"success": True})
        if origin := request.headers.get("origin"):
            response.headers.update(readable_by(origin, entry.origins()))
        return response

    return take


def understood(incoming: Incoming, now: int, kind: str | None) -> Incoming:
    """The request with its key where keys are looked for, and with what its mapping cannot know.

    `now` is UTC milliseconds; `kind` the type of an event that does not say its own.
    """
    moment = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
    known = {"received_at": moment} if kind is None else {"received_at": moment, "type": kind}
    key, body = _without_key(incoming.body)
    headers = incoming.headers if key is None else {"authorization": f"Bearer {key}", **incoming.headers}
    return replace(incoming, body=body, headers=headers, query={**incoming.query, **known})


def _without_key(raw: bytes) -> tuple[str | None, bytes]:
    """The write key in a body, and the body without it: whatever is refused is kept, and no key should be."""
    if _MEMBER not in raw:
        return None, raw
    body, problem = parse(raw)
    if problem is not None or not isinstance(body, dict):
        return None, raw
    listed = body.get("batch")
    found = [
        each.pop("writeKey", None)
        for each in (body, *(listed if isinstance(listed, list) else ()))
        if isinstance(each, dict)
    ]
    key = found[0]
    if not (isinstance(key, str) and key.isascii() and key.isprintable()):
        key = None
    try:
        return key, json.dumps(body).encode()
    except RecursionError:
        return None, raw
