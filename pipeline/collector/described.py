"""How the API describes itself in /docs and /openapi.json: the schemas are those that validation uses."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response

from pipeline.catalogue import OUTCOMES, RATING_RANGES, catalogue
from pipeline.collector.body import BODY_LIMIT, CODINGS
from pipeline.collector.pieces import JSON_TYPE, LINES_TYPES, MOST_EVENTS
from pipeline.model import ANONYMOUS_PREFIX
from pipeline.validation import ADAPTER, EVENT_LIMIT

ABOUT = "Takes touchpoints in. What was answered 200 is in Kafka; what was refused is kept, with its reasons."

_KEYS = "A write key may be confined to channels: an event of another one is refused alone, with the code not_allowed. "
_LIMITS = (
    f"At most {MOST_EVENTS:,} events, {BODY_LIMIT // 1024 // 1024} MiB after decompression "
    f"({', '.join(CODINGS)}), {EVENT_LIMIT // 1024} KiB an event."
)
_SENDING = (
    "One event, an array of events, or JSON Lines. Answered 200 once Kafka has acknowledged every accepted "
    "event and every dead letter. After 429, 503 or a lost connection, send the same again: with the same "
    "event_ids, or without any but with the same Idempotency-Key (which must be another for other events). "
    + _KEYS
    + _LIMITS
)


def _schema() -> dict[str, Any]:
    """Return what validation uses, and what it checks beyond that as far as JSON Schema can say it."""
    schema = ADAPTER.json_schema()
    known = catalogue()
    told: dict[str, dict[str, Any]] = {
        "occurred_at": {"format": "date-time"},
        "channel": {"enum": sorted(known.channels)},
        "stage": {"enum": [*known.stages, None]},
        "direction": {"enum": ["inbound", "outbound", None]},
        "outcome": {"enum": [*OUTCOMES, None]},
        "rating_metric": {"enum": [*RATING_RANGES, None]},
        "customer_id": {"not": {"type": "string", "pattern": f"^{ANONYMOUS_PREFIX}"}},
    }
    together = {"rating_metric": ["rating_score"], "rating_score": ["rating_metric"]}
    return {
        **schema,
        "properties": {name: {**its, **told.get(name, {})} for name, its in schema["properties"].items()},
        "required": ["occurred_at", "channel", "touchpoint"],
        "anyOf": [
            {"required": [name], "properties": {name: {"type": "string"}}} for name in ("customer_id", "anonymous_id")
        ],
        "dependentRequired": together,
    }


_EVENT = _schema()
_EXAMPLE = [
    {
        "customer_id": "ada",
        "occurred_at": "2026-03-01T10:00:00Z",
        "channel": "phone",
        "touchpoint": "complaint",
        "outcome": "unresolved",
        "sentiment": -0.8,
        "reference": "ticket-17",
        "attributes": {"queue": "billing"},
    }
]
_ERRORS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code", "path", "message"],
        "properties": {
            "code": {"type": "string", "description": "Stable reason code"},
            "path": {"type": "string", "description": "Dotted path of the field; empty: the whole"},
            "message": {"type": "string", "description": "What is wrong and how to mend it"},
        },
    },
}
_TAKEN = {
    "type": "object",
    "required": ["accepted", "rejected"],
    "properties": {
        "accepted": {"type": "integer", "description": "Events in Kafka, duplicates included"},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "event_id", "errors"],
                "properties": {
                    "index": {"type": "integer", "description": "Place in the array, or line, from 0"},
                    "event_id": {
                        "type": ["string", "null"],
                        "description": "As it was sent, if it could be read",
                    },
                    "errors": _ERRORS,
                },
            },
        },
    },
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_STATUS = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}},
}
_CHALLENGE = {"WWW-Authenticate": {"description": "How to present a key", "schema": {"type": "string"}}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}


def _answer(text: str, schema: dict[str, Any], headers: dict[str, Any] | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": text, "content": {JSON_TYPE: {"schema": schema}}}
    return {**answer, "headers": headers} if headers else answer


TOUCHPOINTS: dict[str, Any] = {
    "summary": "Send touchpoints",
    "description": _SENDING,
    "response_model": None,
    "responses": {
        200: _answer("Kafka has them; what was refused is listed and kept", _TAKEN),
        400: _answer("Not JSON, not UTF-8, empty or cut short; the message says where", _ERROR),
        401: _answer("The write key is missing, not known, expired or revoked", _ERROR, _CHALLENGE),
        403: _answer("The write key is not for this endpoint, or not for pages of this origin", _ERROR),
        408: _answer("The body did not come in time", _ERROR),
        413: _answer("Too much at once. " + _LIMITS, _ERROR),
        415: _answer("Content-Type, charset or Content-Encoding is not taken", _ERROR),
        422: _answer("No event could be accepted; all are listed and kept", _TAKEN),
        429: _answer("Too much in flight, or more events than the key may send now", _ERROR, _RETRY_AFTER),
        503: _answer("Kafka cannot acknowledge now: send the same again", _ERROR, _RETRY_AFTER),
    },
    "openapi_extra": {
        "security": [{"WriteKey": []}, {"WriteKeyAsUser": []}],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "Events without event_id get ids derived from it and their index",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                JSON_TYPE: {
                    "schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT, "maxItems": MOST_EVENTS}]},
                    "example": _EXAMPLE,
                },
                **{kind: {"schema": _EVENT} for kind in LINES_TYPES},
            },
        },
    },
}
_MAPPED = {
    "type": "object",
    "required": ["accepted", "rejected", "ignored"],
    "properties": {
        **_TAKEN["properties"],  # type: ignore[dict-item]
        "ignored": {"type": "integer", "description": "Events of the payload that are no touchpoints"},
    },
}
_NOT_BELIEVED = _answer("Not signed, wrongly signed, or signed too long ago", _ERROR)
_NO_SOURCE = _answer("No source has this name, or it is off", _ERROR)
WEBHOOKS: dict[str, Any] = {
    "summary": "Take a vendor's webhook in",
    "description": "The signature is checked over the raw bytes, each vendor's way; the payload becomes touchpoints by "
    "the source's mapping. Answered 200 once Kafka has acknowledged them; a redelivery has the same event_ids. What "
    "was refused is kept, with its reasons.",
    "response_model": None,
    "responses": {
        200: _answer("Kafka has the touchpoints; what was refused is listed and kept", _MAPPED),
        400: _answer("Not what the source sends", _ERROR),
        401: _NOT_BELIEVED,
        403: _answer("The write key is not for this source", _ERROR),
        404: _NO_SOURCE,
        408: _answer("The body did not come in time", _ERROR),
        413: _answer("Too much at once", _ERROR),
        415: _answer("Content-Encoding is not taken", _ERROR),
        422: _answer("The sender has a write key, and none of its touchpoints could be accepted", _MAPPED),
        429: _answer("Too much in flight", _ERROR, _RETRY_AFTER),
        503: _answer("Kafka cannot acknowledge now: send the same again", _ERROR, _RETRY_AFTER),
    },
}
CHALLENGES: dict[str, Any] = {
    "summary": "Answer a vendor that asks whether this endpoint is ours",
    "response_model": None,
    "responses": {
        400: _answer("This is no challenge, or it cannot be answered", _ERROR),
        200: {"description": "What the vendor wants to hear", "content": {"text/plain": {}, JSON_TYPE: {}}},
        401: _NOT_BELIEVED,
        404: _NO_SOURCE,
    },
}
LOOKS: dict[str, Any] = {
    "operation_id": "look_at_webhook",
    "summary": "Tell a vendor that looks before it sends whether a source is on",
    "response_class": Response,
    "response_model": None,
    "responses": {200: {"description": "It is on"}, 404: {"description": "It is unknown or off"}},
}
HEALTH: dict[str, Any] = {
    "summary": "Whether the process is alive",
    "response_model": None,
    "responses": {200: _answer("Alive", _STATUS)},
}
READY: dict[str, Any] = {
    "summary": "Whether events can be taken in now",
    "response_model": None,
    "responses": {
        200: _answer("Kafka answers", _STATUS),
        503: _answer("Kafka does not answer, or events have waited too long for it", _ERROR, _RETRY_AFTER),
    },
}
_SECURITY = {
    "WriteKey": {"type": "http", "scheme": "bearer", "description": "A write key"},
    "WriteKeyAsUser": {"type": "http", "scheme": "basic", "description": "A write key as user name; any password"},
}


def secure(app: FastAPI) -> None:
    """Add the write key to the description; FastAPI does so only for a dependency, which costs every request."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        description = describe()
        description.setdefault("components", {})["securitySchemes"] = _SECURITY
        return description

    app.openapi = described  # type: ignore[method-assign]
