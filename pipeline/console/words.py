"""How figures, moments and facts are put into words on the pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING = "\N{EN DASH}"
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_BAD, _GOOD = -0.35, 0.35
"""As in view screen_pop."""


def number(value: float | None) -> str:
    """A number with thousands apart, and with decimals only where it has some; a dash for none."""
    if value is None:
        return NOTHING
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"


def moment(iso: str | None) -> str:
    """2026-11-22T05:02:45.182Z as 2026-11-22 05:02: pages say beside it that this is UTC."""
    return iso[:16].replace("T", " ") if iso else NOTHING


def day(iso: str) -> str:
    """The day of a moment, UTC."""
    return iso[:10]


def clock(iso: str) -> str:
    """Hours and minutes of a moment, UTC."""
    return iso[11:16]


def words(name: str) -> str:
    """A name of the catalogue or the model, supervisor_call_back, as words."""
    return name.removeprefix("x_").replace("_", " ")


def length(milliseconds: float) -> str:
    """A length of time in its two largest units: 3 min 20 s."""
    left, parts = int(milliseconds), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or f"{left} ms"


def mood(sentiment: float) -> str:
    """negative, neutral or positive; `sentiment` is from -1 to 1."""
    return "negative" if sentiment <= _BAD else "positive" if sentiment >= _GOOD else "neutral"


def money(values: Mapping[str, float]) -> str:
    """Sums by currency: 1,204.50 EUR and 20.00 USD; a currency that is not known is not named."""
    return " and ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(values.items())) or NOTHING


def facts(touchpoint: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a touchpoint says beyond when and what it was: names and values, for those that it has."""
    ready = {
        "rating": _rating(touchpoint),
        "value": _value(touchpoint),
        "waited": length(touchpoint["wait_ms"]) if touchpoint["wait_ms"] else "",
        "took": length(touchpoint["duration_ms"]) if touchpoint["duration_ms"] else "",
        **{name: touchpoint[name] or "" for name in ("reference", "campaign", "partner")},
        "staff": touchpoint["staff_id"] or "",
    }
    return [(name, text) for name, text in ready.items() if text] + sorted(touchpoint["attributes"].items())


def _rating(touchpoint: Mapping[str, Any]) -> str:
    metric, score = touchpoint["rating_metric"], touchpoint["rating_score"]
    return f"{metric.upper()} {number(score)}" if metric and score is not None else ""


def _value(touchpoint: Mapping[str, Any]) -> str:
    value = touchpoint["value"]
    return "" if value is None else f"{value:,.2f} {touchpoint['currency'] or ''}".strip()
