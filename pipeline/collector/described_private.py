"""How the private listener describes itself in /docs and /openapi.json."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

ABOUT = "For the company's own people and machines, with the read key. The console for people is at /console."

_JSON = "application/json"


def _object(**properties: Any) -> dict[str, Any]:
    """An object that has exactly these fields."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _told(schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {**schema, "description": text}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}
_MOMENT = {"type": "string", "format": "date-time"}
_TEXTS = {"type": "array", "items": _TEXT}
_REASON = _object(code=_TEXT, points=_NUMBER, text=_TEXT)
_ISSUE = _object(
    reference=_told(_or_null(_TEXT), "Order, ticket or thread; null: known by its channel alone"),
    channel=_TEXT,
    touchpoint=_TEXT,
    since=_MOMENT,
    last_at=_MOMENT,
    contacts=_told(_COUNT, "What the customer sent since"),
)
_RECENT = _object(
    occurred_at=_MOMENT,
    channel=_TEXT,
    touchpoint=_TEXT,
    stage=_TEXT,
    direction=_TEXT,
    outcome=_or_null(_TEXT),
    sentiment=_or_null(_NUMBER),
    value=_or_null(_NUMBER),
    currency=_or_null(_TEXT),
    reference=_or_null(_TEXT),
)
SCREEN_POP = _object(
    customer_id=_told(_TEXT, "The customer; anon:<anonymous id> while no customer is known"),
    linked_ids=_told(_TEXTS, "Their other keys"),
    first_seen_at=_MOMENT,
    customer_since=_told(_or_null(_MOMENT), "First purchase or renewal"),
    touchpoints=_told(_COUNT, "Touchpoints, both directions, over all keys"),
    purchases=_COUNT,
    values=_told({"type": "object", "additionalProperties": _NUMBER}, "Sum of values by currency"),
    last_at=_told(_or_null(_MOMENT), "The last interaction: the newest inbound touchpoint"),
    last_channel=_or_null(_TEXT),
    last_touchpoint=_or_null(_TEXT),
    last_outcome=_or_null(_TEXT),
    last_reference=_or_null(_TEXT),
    last_sentiment=_told(_or_null(_NUMBER), "Its mood, -1 to 1"),
    last_mood=_told(_or_null(_TEXT), "negative, neutral or positive"),
    nps=_told(_or_null(_NUMBER), "Latest NPS answer, 0 to 10"),
    nps_at=_or_null(_MOMENT),
    csat=_told(_or_null(_NUMBER), "Latest CSAT answer, 1 to 5"),
    ces=_told(_or_null(_NUMBER), "Latest CES answer, 1 to 7"),
    journey_started_at=_told(_or_null(_MOMENT), "The journey that is open now"),
    journey_touchpoints=_COUNT,
    journey_channels=_TEXTS,
    journey_stages=_TEXTS,
    recent=_told({"type": "array", "items": _RECENT}, "The last 20 touchpoints, the newest first"),
    open_issues=_told({"type": "array", "items": _ISSUE}, "What was opened and not settled since, the oldest first"),
    score=_told(_or_null(_NUMBER), "Risk of leaving, 0 to 100; null while not scored"),
    level=_told(_or_null(_TEXT), "low, medium, high, critical or gone"),
    reasons=_told({"type": "array", "items": _REASON}, "Why: points each adds, the fact in words"),
    action=_told(_or_null(_TEXT), "What to do next"),
    scored_at=_or_null(_MOMENT),
    at_risk_since=_told(_or_null(_MOMENT), "When that level was reached"),
    alert_id=_told(_or_null({**_TEXT, "format": "uuid"}), "The alert that is not over"),
    alert_status=_told(_or_null(_TEXT), "open or acknowledged"),
    alert_level=_or_null(_TEXT),
    alert_raised_at=_or_null(_MOMENT),
    acknowledged_at=_or_null(_MOMENT),
    acknowledged_by=_or_null(_TEXT),
    snoozed_until=_told(_or_null(_MOMENT), "Nothing is raised before"),
)
"""The row of view screen_pop."""

_ERROR = _object(error=_object(code=_TEXT, message=_TEXT))
_ORDER = _object(
    status={"type": "string", "enum": ["acknowledged", "snoozed"]},
    customer_id=_TEXT,
    about=_told(_or_null(_TEXT), "The alert"),
    until=_told(_or_null({"type": "integer"}), "UTC milliseconds"),
    by=_or_null(_TEXT),
)
_BY = {"type": "string", "maxLength": 200, "description": "Who does it"}
_KEY: list[dict[str, list[str]]] = [{"ReadKey": []}]


def _answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {_JSON: {"schema": schema}}}


def _body(required: list[str], **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"required": True, "content": {_JSON: {"schema": schema}}}


_REFUSED = {401: _answer("Not the read key", _ERROR), 503: _answer("Not now: ask again", _ERROR)}
_TAKEN = {
    200: _answer("Kafka has it", _ORDER),
    400: _answer("Not JSON", _ERROR),
    413: _answer("Too much", _ERROR),
    422: _answer("The field that `code` names is wrong", _ERROR),
    **_REFUSED,
}
METRICS: dict[str, Any] = {
    "summary": "What the collector counts, for Prometheus",
    "response_model": None,
    "responses": {200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}},
}
CUSTOMER: dict[str, Any] = {
    "summary": "Show what a member of staff should see when this customer calls now",
    "description": "The row of view screen_pop; moments are UTC. The id is a customer_id, an anonymous id, or "
    "anon:<anonymous id>; what it holds beyond letters and digits is percent-encoded, a slash may stand as it is.",
    "response_model": None,
    "responses": {
        200: _answer("The customer", SCREEN_POP),
        404: _answer("Nobody with this id was seen", _ERROR),
        **_REFUSED,
    },
    "openapi_extra": {"security": _KEY},
}
ACKNOWLEDGE: dict[str, Any] = {
    "summary": "Take an alert on: it is not delivered to anybody any more",
    "response_model": None,
    "responses": _TAKEN,
    "openapi_extra": {"security": _KEY, "requestBody": _body(["customer_id"], customer_id=_TEXT, by=_BY)},
}
SNOOZE: dict[str, Any] = {
    "summary": "Raise no alert for a customer for a while",
    "response_model": None,
    "responses": _TAKEN,
    "openapi_extra": {
        "security": _KEY,
        "requestBody": _body(
            ["for"], **{"for": {"type": "string", "description": "30m, 12h, 7d; 0d ends it"}, "by": _BY}
        ),
    },
}


def secure(app: FastAPI) -> None:
    """Add the read key to the description; FastAPI does so only for a dependency."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        description = describe()
        schemes = description.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["ReadKey"] = {"type": "http", "scheme": "bearer", "description": "The read key"}
        return description

    app.openapi = described  # type: ignore[method-assign]
