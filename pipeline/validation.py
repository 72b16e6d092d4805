"""From an event as somebody sent it to a Record, or to a Rejected that names every field and its fix.

Pure: the present moment is an argument. Shape and types are pydantic's job; what depends on the catalogue or on
several fields at once is checked here.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, to_json
from typing_extensions import TypedDict

from pipeline.catalogue import CUSTOM_PREFIX, OUTCOMES, RATING_RANGES, Defaults, catalogue
from pipeline.model import ANONYMOUS_PREFIX, FieldError, Record, Rejected, readable_id

EVENT_LIMIT = 64 * 1024
RECORD_LIMIT = 2 * EVENT_LIMIT
"""No edge makes a record of topic touchpoints as large as this, in bytes: what is larger came past them."""
FUTURE_LIMIT_MS = 24 * 3600 * 1000
VALUE_LIMIT = 1e12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)

Id = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(max_length=200)]
Milliseconds = Annotated[int, Field(ge=0, le=2**53)]
Attribute = Annotated[str, Field(max_length=1000)]


class Touchpoint(TypedDict, total=False):
    """A touchpoint as it is sent: HTTP body, JSON Lines, CSV and emitter share these names."""

    __pydantic_config__ = ConfigDict(  # type: ignore[misc]
        extra="forbid", strict=True, allow_inf_nan=False, regex_engine="rust-regex"
    )

    event_id: Annotated[str | None, Field(pattern=_UUID, description="UUID; minted when absent")]
    customer_id: Annotated[Id | None, Field(description="This or anonymous_id is required")]
    anonymous_id: Annotated[Id | None, Field(description="Device or browser id while no customer is known")]
    occurred_at: Annotated[str, Field(max_length=64, description="RFC 3339 with offset")]
    channel: Annotated[Word, Field(description="A channel of the catalogue")]
    touchpoint: Annotated[Word, Field(description="A touchpoint of that channel, or x_...")]
    stage: Annotated[Word | None, Field(description="Defaults to the catalogue's")]
    direction: Annotated[Word | None, Field(description="inbound or outbound; defaults to the catalogue's")]
    outcome: Annotated[Word | None, Field(description=", ".join(OUTCOMES))]
    sentiment: Annotated[float | None, Field(ge=-1, le=1, description="-1 (bad) to 1 (good)")]
    rating_metric: Annotated[Word | None, Field(description="nps, csat or ces")]
    rating_score: Annotated[float | None, Field(description="nps 0-10, csat 1-5, ces 1-7")]
    value: Annotated[float | None, Field(ge=-VALUE_LIMIT, le=VALUE_LIMIT, description="Money, in currency")]
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$", description="ISO 4217")]
    duration_ms: Annotated[Milliseconds | None, Field(description="How long it took")]
    wait_ms: Annotated[Milliseconds | None, Field(description="How long the customer waited")]
    reference: Annotated[Text | None, Field(description="Order, ticket or thread")]
    staff_id: Text | None
    campaign: Text | None
    partner: Text | None
    attributes: Annotated[dict[Text, Attribute] | None, Field(max_length=50, description="Anything else, as strings")]


FIELDS = tuple(Touchpoint.__annotations__)
ADAPTER: TypeAdapter[Touchpoint] = TypeAdapter(Touchpoint)
_validate = ADAPTER.validate_python
_channels = catalogue().channels
_stages = catalogue().stages


def validate(
    event: Any, now: int, source: str, import_id: str | None = None, original: bytes | None = None
) -> Record | Rejected:
    """Check one event (parsed JSON) and complete it with the catalogue's defaults; never raises.

    `now` is the edge's clock, UTC milliseconds, and becomes `received_at`. An absent event_id is minted at random.
    A refusal keeps `original`, the bytes that came in, or else the event as JSON.
    """
    try:
        given: Any = _validate(event)
    except ValidationError as error:
        return rejected(event, _described(error), import_id, original)
    get = given.get
    occurred_at, problems = _time(get("occurred_at"), now)
    channel, touchpoint = get("channel"), get("touchpoint")
    defaults = _channels[channel].defaults(touchpoint) if touchpoint and channel in _channels else None
    customer, anonymous = get("customer_id"), get("anonymous_id")
    stage, direction = get("stage"), get("direction")
    outcome, metric, score = get("outcome"), get("rating_metric"), get("rating_score")
    if (
        problems
        or defaults is None
        or (customer is None and anonymous is None)
        or (customer is not None and customer.startswith(ANONYMOUS_PREFIX))
        or (stage is not None and stage not in _stages)
        or (direction is not None and direction not in _DIRECTIONS)
        or (outcome is not None and outcome not in OUTCOMES)
        or ((metric is not None or score is not None) and _rating_problem(metric, score))
    ):
        return rejected(event, (*problems, *_problems(given, defaults)), import_id, original)
    event_id = get("event_id")
    return {
        "event_id": event_id.lower() if event_id else str(uuid.uuid4()),
        "customer_id": customer if customer is not None else ANONYMOUS_PREFIX + anonymous,
        "anonymous_id": anonymous,
        "occurred_at": occurred_at,
        "received_at": now,
        "channel": channel,
        "touchpoint": touchpoint,
        "stage": stage or defaults.stage,
        "direction": direction or defaults.direction,
        "outcome": outcome,
        "sentiment": get("sentiment"),
        "rating_metric": metric,
        "rating_score": score,
        "value": get("value"),
        "currency": get("currency"),
        "duration_ms": get("duration_ms"),
        "wait_ms": get("wait_ms"),
        "reference": get("reference"),
        "staff_id": get("staff_id"),
        "campaign": get("campaign"),
        "partner": get("partner"),
        "attributes": get("attributes") or {},
        "source": source,
        "import_id": import_id,
    }


_DIRECTIONS = ("inbound", "outbound")


def rejected(
    event: Any, errors: tuple[FieldError, ...], import_id: str | None = None, original: bytes | None = None
) -> Rejected:
    """A refusal of a parsed event, which is kept as it came in, or else as JSON."""
    given = event if isinstance(event, dict) else {}
    channel = given.get("channel")
    return Rejected(
        errors,
        original_of(event) if original is None else original,
        readable_id(given.get("event_id")),
        import_id,
        channel=channel if isinstance(channel, str) and channel in _channels else None,
    )


def original_of(event: Any) -> bytes:
    """A parsed event as JSON, whatever it holds."""
    try:
        return to_json(event, inf_nan_mode="constants")
    except ValueError:
        return _shown(event).encode("utf-8", "backslashreplace")


def _shown(event: Any) -> str:
    try:
        return repr(event)
    except RecursionError:
        return "(nested too deeply to be shown)"


def parse_time(text: str) -> int | None:
    """RFC 3339 with offset to UTC milliseconds, rounded down; None for a naive or malformed time.

    Examples: `2026-03-01T12:00:00Z`, `2026-03-01T13:00:00.250+01:00`.
    """
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND if moment.tzinfo else None


def _time(text: str | None, now: int) -> tuple[int, tuple[FieldError, ...]]:
    if text is None:
        return 0, (FieldError("missing", "occurred_at", "occurred_at is required: RFC 3339 with offset"),)
    moment = parse_time(text)
    if moment is None:
        return 0, (_time_problem(text),)
    if moment > now + FUTURE_LIMIT_MS:
        problem = "occurred_at is more than 24 hours ahead: check the sender's clock and time zone"
        return 0, (FieldError("time_future", "occurred_at", problem),)
    if moment < 0:
        return 0, (FieldError("time_range", "occurred_at", "occurred_at lies before 1970: check the sender's clock"),)
    return moment, ()


def _time_problem(text: str) -> FieldError:
    matched = _TIME.fullmatch(text)
    if matched and not matched.group(2):
        fix = "occurred_at has no UTC offset: add Z or +hh:mm, since a naive time could mean any zone"
        return FieldError("time_naive", "occurred_at", fix)
    return FieldError("time_format", "occurred_at", "occurred_at must be RFC 3339, like 2026-03-01T12:00:00Z")


def _rating_problem(metric: str | None, score: float | None) -> str | None:
    if metric is None or score is None:
        return "rating_metric and rating_score go together: send both or neither"
    if metric not in RATING_RANGES:
        return f"rating_metric must be one of {', '.join(RATING_RANGES)}"
    low, high = RATING_RANGES[metric]
    return None if low <= score <= high else f"rating_score of {metric} must lie in {low:g} to {high:g}"


def _problems(given: Any, defaults: Defaults | None) -> Iterator[FieldError]:
    """Every problem of a well-typed event but its time's; slower than the checks in `validate`, and in words."""
    customer, anonymous = given.get("customer_id"), given.get("anonymous_id")
    if customer is None and anonymous is None:
        yield FieldError("missing", "customer_id", "customer_id or anonymous_id is required")
    elif customer is not None and customer.startswith(ANONYMOUS_PREFIX):
        fix = f"customer_id may not start with {ANONYMOUS_PREFIX}: send the rest as anonymous_id"
        yield FieldError("reserved", "customer_id", fix)
    if defaults is None:
        yield _vocabulary_problem(given.get("channel"), given.get("touchpoint"))
    for field, allowed in (("stage", tuple(_stages)), ("direction", _DIRECTIONS), ("outcome", OUTCOMES)):
        if given.get(field) is not None and given[field] not in allowed:
            yield FieldError(f"unknown_{field}", field, f"{field} must be one of {', '.join(allowed)}")
    metric, score = given.get("rating_metric"), given.get("rating_score")
    if (metric is not None or score is not None) and (problem := _rating_problem(metric, score)):
        yield FieldError("rating", "rating_score" if metric in RATING_RANGES else "rating_metric", problem)


def _vocabulary_problem(channel: str | None, touchpoint: str | None) -> FieldError:
    if channel is None or touchpoint is None:
        name = "channel" if channel is None else "touchpoint"
        return FieldError("missing", name, f"{name} is required: see `touchline taxonomy`")
    if channel not in _channels:
        near = catalogue().nearest_channels(channel) or sorted(_channels)
        return FieldError("unknown_channel", "channel", f"unknown channel {channel!r}: try {', '.join(near)}")
    near = catalogue().nearest_touchpoints(channel, touchpoint)
    hint = f"try {', '.join(near)}, or " if near else ""
    fix = f"unknown touchpoint {touchpoint!r} of {channel}: {hint}name your own {CUSTOM_PREFIX}{touchpoint}"
    return FieldError("unknown_touchpoint", "touchpoint", fix)


def _described(error: ValidationError) -> tuple[FieldError, ...]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(_describe(detail) for detail in details[:20])


_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "dict_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "string_pattern_mismatch": "format",
    "greater_than_equal": "range",
    "less_than_equal": "range",
    "finite_number": "not_finite",
    "string_unicode": "not_utf8",
}


def _printable(name: str) -> str:
    """A name that somebody sent, short and fit for UTF-8."""
    shown = name if len(name) <= 100 else name[:100] + "..."
    return shown.encode("utf-8", "backslashreplace").decode()


def _describe(detail: ErrorDetails) -> FieldError:
    location = [_printable(str(part)) for part in detail["loc"] if part != "[key]"]
    path = ".".join(location)
    kind, message = detail["type"], detail["msg"]
    if kind == "extra_forbidden":
        near = get_close_matches(location[-1], FIELDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "put it into attributes, as a string"
        return FieldError("unknown_field", path, f"{path} is not a field of a touchpoint: {hint}")
    if not path:
        return FieldError("type", "", "an event must be a JSON object with the fields of a touchpoint")
    if kind == "string_pattern_mismatch":
        wanted = "a UUID with hyphens" if path == "event_id" else "an ISO 4217 code, three capital letters"
        return FieldError("format", path, f"{path} must be {wanted}")
    return FieldError(_CODES.get(kind, "type"), path, f"{path}: {message[0].lower()}{message[1:]}")
