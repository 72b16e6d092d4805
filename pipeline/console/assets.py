"""The console's own style sheet, script and icon, by addresses that change with their content."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PATH = "/console/static"
_TYPES = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
_FOR_GOOD = "public, max-age=31536000, immutable"


def address(name: str) -> str:
    """Where a file is, as the pages link it."""
    return f"{PATH}/{name}?v={sha256(_content(name)).hexdigest()[:12]}"


async def serve(request: Request) -> Response:
    """GET /console/static/{name}; needs no session, since there is nothing of anybody in it."""
    name = request.path_params["name"]
    if name not in _TYPES:
        return PlainTextResponse("there is no such file", 404)
    return Response(_content(name), media_type=_TYPES[name], headers={"Cache-Control": _FOR_GOOD})


@cache
def _content(name: str) -> bytes:
    return (files("pipeline.console") / "static" / name).read_bytes()
