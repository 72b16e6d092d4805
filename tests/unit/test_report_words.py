"""How a report writes its values."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from pipeline.report import words
from pipeline.report.tables import exact


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.count(1234567), "1,234,567"),
        (words.count(None), words.NOTHING),
        (words.share(0.0), "0%"),
        (words.share(0.034), "3.4%"),
        (words.share(0.0994), "9.9%"),
        (words.share(0.5), "50%"),
        (words.share(1.0), "100%"),
        (words.mood(-0.256), "-0.26"),
        (words.mood(0.0), "+0.00"),
        (words.signed(-12.5), "-12"),
        (words.span(None), words.NOTHING),
        (words.span(0), "0.0 s"),
        (words.span(1_500), "1.5 s"),
        (words.span(42_000), "42 s"),
        (words.span(60_000), "1 min"),
        (words.span(90_400), "1 min 30 s"),
        (words.span(5_400_000), "1 h 30 min"),
        (words.span(187_200_000), "2 d 4 h"),
        (words.money({"EUR": 1234.5, "CHF": 2.0}), ["2\xa0CHF", "1,234\xa0EUR"]),
        (words.money({}), [words.NOTHING]),
        (words.name("mobile_app"), "mobile app"),
        (words.names(["a_b", "c"]), "a b, c"),
        (words.text(""), words.NOTHING),
        (words.text(0), "0"),
    ],
)
def test_a_value_is_written(written: Any, expected: Any) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0.1 + 0.2, "0.30000000000000004"),
        (datetime(2026, 11, 22, 6, 38, 15, 684000), "2026-11-22T06:38:15.684Z"),  # noqa: DTZ001 (the driver's UTC)
        (date(2026, 11, 22), "2026-11-22"),
        ({"EUR": 1.5}, '{"EUR": 1.5}'),
        (["ü"], '["ü"]'),
    ],
)
def test_a_value_is_kept_exactly(value: Any, expected: str) -> None:
    assert exact(value) == expected
