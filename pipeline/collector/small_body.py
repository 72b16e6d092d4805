"""Bodies of the private listener: small, and read no further than allowed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from pipeline.collector.refusal import Refusal, too_large

LIMIT = 16 * 1024
_MOST_FIELDS = 20


async def json_of(request: Request) -> Any:
    """The body as JSON; an empty one is an empty object. Raises Refusal."""
    body = await _read(request)
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "not_json", "the body is no JSON object") from error


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a submitted form; of several with one name the last. Raises Refusal."""
    body = await _read(request)
    try:
        fields = parse_qs(
            body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict", strict_parsing=False
        )
    except ValueError as error:
        raise Refusal(400, "not_a_form", "the body is no form of a few fields in UTF-8") from error
    return {name: values[-1] for name, values in fields.items()}


async def _read(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LIMIT:
            too_large(f"an order may hold {LIMIT:,} bytes")
    return body
