"""How the ways in that others have agreed upon, CloudEvents and Segment's calls, are described in /openapi.json."""

from __future__ import annotations

from typing import Any

from pipeline.collector.described import TOUCHPOINTS, WEBHOOKS
from pipeline.collector.pieces import JSON_TYPE

_ANSWERS: dict[int, Any] = {
    **WEBHOOKS["responses"],
    **{status: TOUCHPOINTS["responses"][status] for status in (401, 403, 429)},
}
_KEYS = TOUCHPOINTS["openapi_extra"]["security"]
_EVENT = {
    "type": "object",
    "required": ["specversion", "type", "source", "id"],
    "properties": {
        "specversion": {"type": "string", "const": "1.0"},
        "type": {"type": "string", "description": "Names the touchpoint, unless data does: x_..."},
        "source": {"type": "string", "description": "With the id, what an event counts once by"},
        "id": {"type": "string"},
        "time": {"type": "string", "format": "date-time", "description": "When, unless data has occurred_at"},
        "data": {"type": "object", "description": "The fields of a touchpoint"},
    },
}
CLOUDEVENTS: dict[str, Any] = {
    "summary": "Send CloudEvents",
    "description": "CloudEvents 1.0 over HTTP: structured, a batch, or binary (a JSON body of any other type, with the "
    "attributes as headers ce-specversion, ce-type, ce-source, ce-id, ce-time). `data` has the fields of a touchpoint. "
    "Answered 200 once Kafka has acknowledged; what was refused is listed and kept.",
    "response_model": None,
    "responses": _ANSWERS,
    "openapi_extra": {
        "security": _KEYS,
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {"schema": _EVENT},
                "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            },
        },
    },
}
_SUCCESS = {"type": "object", "required": ["success"], "properties": {"success": {"type": "boolean", "const": True}}}
SEGMENT: dict[str, Any] = {
    "summary": "Send what Segment's libraries send",
    "description": "The write key is the user name of Basic authentication, a bearer token, or writeKey in the body. "
    "The Content-Type does not matter: analytics.js says text/plain. Answered 200 once Kafka has acknowledged; what "
    "was refused is kept, with its reasons.",
    "response_model": None,
    "responses": {
        **{status: text for status, text in _ANSWERS.items() if status != 422},
        200: {"description": "Kafka has it", "content": {JSON_TYPE: {"schema": _SUCCESS}}},
    },
    "openapi_extra": {
        "security": _KEYS,
        "requestBody": {
            "required": True,
            "content": {JSON_TYPE: {"schema": {"type": "object"}}},
        },
    },
}
