"""How a report writes a value: short, with its unit, and the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

NOTHING = "\N{EN DASH}"
"""Stands for a value that is not there, or not known."""


def count(value: int | None) -> str:
    """A whole number."""
    return NOTHING if value is None else f"{value:,}"


def share(value: float | None) -> str:
    """A share of 0 to 1 as percent, to a tenth below ten percent."""
    if value is None:
        return NOTHING
    return f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"


def mood(value: float | None) -> str:
    """A sentiment of -1 to 1, signed."""
    return NOTHING if value is None else f"{value:+.2f}"


def signed(value: float | None) -> str:
    """A whole score around zero, signed."""
    return NOTHING if value is None else f"{value:+.0f}"


def amount(value: float | None) -> str:
    """A number with two decimals."""
    return NOTHING if value is None else f"{value:,.2f}"


def tenths(value: float | None) -> str:
    """A number with one decimal."""
    return NOTHING if value is None else f"{value:,.1f}"


def money(values: Mapping[str, float]) -> list[str]:
    """Sums by currency, which are never added together, each a line of its own."""
    return [f"{value:,.0f}\N{NO-BREAK SPACE}{currency}" for currency, value in sorted(values.items())] or [NOTHING]


def moment(value: datetime | None) -> str:
    """A time of ClickHouse, which is UTC, to the minute."""
    return NOTHING if value is None else f"{value:%Y-%m-%d %H:%M}"


def day(value: Any) -> str:
    """A date or a time of ClickHouse, to the day."""
    return NOTHING if value is None else f"{value:%Y-%m-%d}"


def span(milliseconds: float | None) -> str:
    """How long something took, in its two largest units."""
    if milliseconds is None:
        return NOTHING
    seconds = round(milliseconds / 1000)
    for unit, size, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {unit} {rest} {smaller}" if rest else f"{seconds // size} {unit}"
    return f"{milliseconds / 1000:.1f} s" if seconds < 10 else f"{seconds} s"


def name(value: str | None) -> str:
    """A name of the catalogue as a reader's word: `mobile_app` is mobile app."""
    return value.replace("_", " ") if value else NOTHING


def names(values: list[str]) -> str:
    """Several of them."""
    return ", ".join(map(name, values)) or NOTHING


def text(value: Any) -> str:
    """Anything else, as it is."""
    return NOTHING if value in {None, ""} else str(value)
