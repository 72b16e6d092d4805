"""How the console puts figures and facts into words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.console import words

BARE: dict[str, Any] = dict.fromkeys(
    [
        *("rating_metric", "rating_score", "value", "currency", "wait_ms", "duration_ms"),
        *("reference", "staff_id", "campaign", "partner"),
    ]
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, words.NOTHING),
        (0, "0"),
        (12_016, "12,016"),
        (98.43, "98.43"),
        (98.3, "98.3"),
        (70.0, "70"),
        (-0.32, "-0.32"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (200_000, "3 min 20 s"), (90_061_000, "1 d 1 h"), (3_600_001, "1 h")],
)
def test_lengths(milliseconds: int, text: str) -> None:
    assert words.length(milliseconds) == text


def test_moments_are_cut_not_rounded() -> None:
    iso = "2026-11-22T05:02:59.999Z"
    assert (words.moment(iso), words.day(iso), words.clock(iso)) == ("2026-11-22 05:02", "2026-11-22", "05:02")
    assert words.moment(None) == words.NOTHING


def test_moods_have_the_bounds_of_screen_pop() -> None:
    assert [words.mood(at) for at in (-1, -0.35, -0.34, 0.34, 0.35, 1)] == [
        *("negative", "negative", "neutral", "neutral", "positive", "positive")
    ]


def test_money_names_every_currency() -> None:
    assert words.money({"USD": 20, "EUR": 1204.5}) == "1,204.50 EUR and 20.00 USD"
    assert words.money({"": 7}) == "7.00"
    assert words.money({}) == words.NOTHING


def test_facts_are_those_that_a_touchpoint_has() -> None:
    assert words.facts({**BARE, "attributes": {}}) == []
    said = {"rating_metric": "nps", "rating_score": 9.0, "value": 0.0, "wait_ms": 61_000, "staff_id": "s-1"}
    assert words.facts({**BARE, **said, "attributes": {"b": "2", "a": "1"}}) == [
        *[("rating", "NPS 9"), ("value", "0.00"), ("waited", "1 min 1 s"), ("staff", "s-1"), ("a", "1"), ("b", "2")]
    ]
