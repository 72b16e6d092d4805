"""What validation accepts, completes and refuses, field by field."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.model import Rejected, dead_letter
from pipeline.validation import parse_time, validate
from schemas.codec import Encoder

NOW = 1_772_366_400_000  # 2026-03-01T12:00:00Z
GOOD: dict[str, Any] = {
    "customer_id": "c-1",
    "occurred_at": "2026-03-01T12:00:00Z",
    "channel": "web",
    "touchpoint": "page_view",
}


def refusal(**changed: Any) -> Rejected:
    event = {name: value for name, value in {**GOOD, **changed}.items() if value is not ...}
    result = validate(event, NOW, "http")
    assert isinstance(result, Rejected)
    Encoder("rejected")(dead_letter(result, "http", NOW))
    return result


def test_completes_from_the_catalogue() -> None:
    record = validate(GOOD, NOW, "http")
    assert isinstance(record, dict)
    assert (record["stage"], record["direction"], record["received_at"]) == ("consideration", "inbound", NOW)
    assert record["occurred_at"] == NOW
    Encoder("touchpoints")(record)


def test_key_of_an_anonymous_event() -> None:
    record = validate({**GOOD, "customer_id": None, "anonymous_id": "d-1"}, NOW, "http")
    assert isinstance(record, dict)
    assert (record["customer_id"], record["anonymous_id"]) == ("anon:d-1", "d-1")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("customer_id", ..., "missing"),
        ("customer_id", "anon:x", "reserved"),
        ("customer_id", "", "too_short"),
        ("customer_id", "c" * 201, "too_long"),
        ("customer_id", 7, "type"),
        ("event_id", "seven", "format"),
        ("occurred_at", ..., "missing"),
        ("occurred_at", "2026-03-01T12:00:00", "time_naive"),
        ("occurred_at", "2026-03-02T12:00:00.001Z", "time_future"),
        ("occurred_at", "1969-12-31T23:59:59Z", "time_range"),
        ("occurred_at", "yesterday", "time_format"),
        ("occurred_at", 1772366400, "type"),
        ("channel", ..., "missing"),
        ("channel", "wbe", "unknown_channel"),
        ("touchpoint", "page_vew", "unknown_touchpoint"),
        ("stage", "limbo", "unknown_stage"),
        ("direction", "sideways", "unknown_direction"),
        ("outcome", "fine", "unknown_outcome"),
        ("sentiment", 1.01, "range"),
        ("sentiment", math.nan, "not_finite"),
        ("sentiment", True, "type"),
        ("value", 10**400, "type"),
        ("value", 1e13, "range"),
        ("currency", "eur", "format"),
        ("duration_ms", -1, "range"),
        ("duration_ms", 1.5, "type"),
        ("wait_ms", 2**60, "range"),
        ("reference", "r" * 201, "too_long"),
        ("staff_id", "\ud800", "not_utf8"),
        ("rating_score", 5, "rating"),
        ("colour", "red", "unknown_field"),
    ],
)
def test_refuses_and_names_the_field(field: str, value: Any, code: str) -> None:
    first = refusal(**{field: value}).errors[0]
    named = "rating_metric" if field == "rating_score" else field
    assert (first.code, first.path) == (code, named)
    assert first.message


def test_names_a_bad_attribute() -> None:
    assert refusal(attributes={"page": 7}).errors[0].path == "attributes.page"
    assert refusal(attributes={str(i): "" for i in range(51)}).errors[0].path == "attributes"


def test_a_day_ahead_is_still_taken() -> None:
    assert isinstance(validate({**GOOD, "occurred_at": "2026-03-02T12:00:00Z"}, NOW, "http"), dict)


@pytest.mark.parametrize("event", [None, 7, "x", [], [GOOD], {"\ud800": 1}])
def test_what_is_no_event_is_refused(event: Any) -> None:
    assert isinstance(validate(event, NOW, "http"), Rejected)


def test_an_event_nested_too_deeply_to_be_shown_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    result = validate(deep, NOW, "http")
    assert isinstance(result, Rejected)
    while deep:  # taking it apart by hand, since freeing it in one go goes as deep
        deep = deep["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", NOW),
        ("2026-03-01t12:00:00z", NOW),
        ("2026-03-01T13:00:00+01:00", NOW),
        ("2026-03-01T12:00:00.9999999Z", NOW + 999),
        ("2026-03-01T12:00:00", None),
        ("2026-02-30T12:00:00Z", None),
        ("20260301T120000Z", None),
    ],
)
def test_times(text: str, expected: int | None) -> None:
    assert parse_time(text) == expected
