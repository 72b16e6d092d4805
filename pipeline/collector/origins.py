"""Letting pages of other origins send: exactly those that some public key names, and without cookies."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import Response

from pipeline.collector import answers
from pipeline.collector.refusal import Refusal

PREFLIGHT_SECONDS = 600
_ALLOWED = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, Idempotency-Key",
    "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
}
_VARY = {"Vary": "Origin"}


def readable_by(origin: str, allowed: Collection[str]) -> dict[str, str]:
    """Return the headers that let a page of this origin read the answer, if it may."""
    if origin not in allowed:
        return _VARY
    return {**_VARY, "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}


def preflight(request: Request, allowed: Collection[str]) -> Response:
    """Answer OPTIONS: 204 for a page that may send, 403 for any other, and which methods there are to whoever asks."""
    origin = request.headers.get("origin")
    if origin is None:
        return Response(None, 204, {**_VARY, "Allow": "POST, OPTIONS"})
    if origin not in allowed:
        return answers.refused(Refusal(403, "origin", "no key may be used from this origin", _VARY))
    return Response(None, 204, {**readable_by(origin, allowed), **_ALLOWED})
