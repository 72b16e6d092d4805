"""What a payload holds as a field of a touchpoint: vendors send numbers as text, ids as numbers, and "". Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

ATTRIBUTE_CHARACTERS = 1_000
_TEXT_CHARACTERS = 200

Convert = Callable[[Any], Any]


def text(value: Any) -> Any:
    """Text; a number as its digits."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def short(value: Any) -> Any:
    """Text of which a touchpoint keeps so much: what is longer is cut, since it only describes."""
    found = text(value)
    return found[:_TEXT_CHARACTERS] if isinstance(found, str) else found


def number(value: Any) -> Any:
    """A number; text that is one, too. Raises ValueError for other text."""
    if not isinstance(value, str):
        return value
    try:
        return float(value) if value.strip() else None
    except ValueError as error:
        raise ValueError(f"{value!r:.100} is not a number") from error


def whole(value: Any) -> Any:
    """A whole number, rounded. Raises ValueError for text that is no number, or too large."""
    found = number(value)
    if isinstance(found, float):
        try:
            return round(found)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{value!r:.100} is not a number") from error
    return found


def attribute(value: Any) -> str | None:
    """An attribute's text, cut to what is kept; lists and objects as JSON."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        if not value:
            return None
        scalars = isinstance(value, list) and all(isinstance(each, str | int | float) for each in value)
        value = ",".join(map(str, value)) if scalars else json.dumps(value, ensure_ascii=False)
    return str(value)[:ATTRIBUTE_CHARACTERS]


CONVERSIONS: dict[str, Convert] = {
    "customer_id": text,
    "anonymous_id": text,
    "occurred_at": text,
    "sentiment": number,
    "rating_score": number,
    "value": number,
    "currency": text,
    "duration_ms": whole,
    "wait_ms": whole,
    "reference": short,
    "staff_id": short,
    "campaign": short,
    "partner": short,
    "text": text,
}
WORDS = ("channel", "touchpoint", "stage", "direction", "outcome", "rating_metric")
