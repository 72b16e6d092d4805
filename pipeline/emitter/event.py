"""One event on its way out: its fields, its id, and its JSON."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Required, TypedDict

EVENT_LIMIT = 64 * 1024


class Fields(TypedDict, total=False):
    """What `emit` takes. customer_id or anonymous_id is required; occurred_at defaults to now."""

    channel: Required[str]
    touchpoint: Required[str]
    customer_id: str | None
    anonymous_id: str | None
    event_id: str | None
    occurred_at: datetime | str | None
    stage: str | None
    direction: str | None
    outcome: str | None
    sentiment: float | None
    rating_metric: str | None
    rating_score: float | None
    value: float | None
    currency: str | None
    duration_ms: int | None
    wait_ms: int | None
    reference: str | None
    staff_id: str | None
    campaign: str | None
    partner: str | None
    attributes: Mapping[str, str] | None


class Event(NamedTuple):
    """An event as it leaves. Its id never changes, so that sending it again is safe."""

    event_id: str
    raw: bytes


def made(fields: Fields) -> Event:
    """Complete and encode an event. Raises ValueError, which names the field, for what can never be sent."""
    if not (fields.get("customer_id") or fields.get("anonymous_id")):
        raise ValueError("customer_id or anonymous_id is required")
    event_id = fields.get("event_id") or str(uuid.uuid4())
    content: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    content |= {"event_id": event_id, "occurred_at": _moment(fields.get("occurred_at"))}
    try:
        raw = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ValueError(f"the event cannot be written as JSON: {error}") from error
    if len(raw) > EVENT_LIMIT:
        raise ValueError(f"the event has {len(raw):,} bytes, at most {EVENT_LIMIT:,} are taken")
    return Event(event_id, raw)


def _moment(given: datetime | str | None) -> str:
    if given is None:
        return datetime.now(UTC).isoformat(timespec="milliseconds")
    if isinstance(given, str):
        return given
    if given.tzinfo is None or given.utcoffset() is None:
        raise ValueError("occurred_at has no time zone: pass datetime.now(UTC), or add one with .replace(tzinfo=...)")
    return given.astimezone(UTC).isoformat(timespec="milliseconds")
