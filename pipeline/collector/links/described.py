"""How following a link is described in /docs and /openapi.json."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_LOCATION = {"Location": {"description": "The registered target", "schema": {"type": "string", "format": "uri"}}}
_COOKIE = {"Set-Cookie": {"description": "An id for this browser, unless it has one", "schema": {"type": "string"}}}
_CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The link's name in the registry: 1 to 64 of A-Z a-z 0-9 _ -",
}
_TOKEN = {
    "name": "c",
    "in": "query",
    "required": False,
    "schema": {"type": "string"},
    "description": "Whom the link was sent to, signed: `touchline links url CODE --customer ID`",
}


def _nowhere() -> dict[int | str, dict[str, Any]]:
    return {
        404: {"description": "No such link", "content": _TEXT},
        410: {"description": "The link has ended", "content": _TEXT},
    }


GET: dict[str, Any] = {
    "methods": ["GET"],
    "summary": "Follow a short link",
    "description": (
        "Sends a person on to the link's registered target and records a touchpoint link_click or qr_scan. A token "
        "that was not made for this link counts as none. No other parameter is handed on, but utm_* where the link "
        "says so. A browser that sends Sec-GPC: 1 or DNT: 1 gets no cookie, and leaves a touchpoint only where a "
        "token names the customer. Link previews and prefetches are redirected, and not counted."
    ),
    "status_code": 302,
    "response_class": Response,
    "response_model": None,
    "responses": {302: {"description": "To the target", "headers": {**_LOCATION, **_COOKIE}}, **_nowhere()},
    "openapi_extra": {"parameters": [_CODE, _TOKEN]},
}
HEAD: dict[str, Any] = {
    "methods": ["HEAD"],
    "operation_id": "look_at_link",
    "summary": "See where a short link leads",
    "description": "Answers as GET does, and leaves no touchpoint and no cookie.",
    "status_code": 302,
    "response_class": Response,
    "response_model": None,
    "responses": {
        302: {"description": "To the target", "headers": _LOCATION},
        404: {"description": "No such link"},
        410: {"description": "The link has ended"},
    },
    "openapi_extra": {"parameters": [_CODE]},
}
