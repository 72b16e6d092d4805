"""Mood derived from text: what it says, what it keeps quiet about, and how often it is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError
from pipeline.sentiment import SOURCE, TEXT_LIMIT, _english, apply, check, derive

MANY = settings(max_examples=100, deadline=None, database=None)
MESSAGES = Path(__file__).parents[1] / "fixtures" / "service_messages.jsonl"
EVENT: dict[str, Any] = {"customer_id": "c-1", "text": "Terrible service, I am very disappointed."}
MARK = {"sentiment_source": SOURCE}


def test_is_right_more_often_than_not_where_it_decides_and_says_so_seldom_otherwise() -> None:
    rows = [json.loads(line) for line in MESSAGES.read_text().splitlines()]
    felt = [(row["label"], derive(row["text"])) for row in rows if row["label"]]
    decided = [(label, sentiment) for label, sentiment in felt if sentiment is not None]
    right = sum((label > 0) == (sentiment > 0) for label, sentiment in decided)
    neutral = [derive(row["text"]) for row in rows if not row["label"]]
    assert (len(felt), len(neutral)) == (61, 11)
    assert len(decided) >= 0.6 * len(felt)
    assert right >= 0.8 * len(decided)
    assert sum(sentiment is None for sentiment in neutral) >= 0.7 * len(neutral)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "Great",
        "12345 67890",
        "My order number is 4711.",
        "Vielen Dank für die schnelle Hilfe",
        "C'est très mauvais",
        "Muy mal servicio, no funciona nada",
        "Das ist ein super Service und war gut",
        "Super service, merci beaucoup",
        "とても悪いサービス",
    ],
)
def test_keeps_quiet(text: object) -> None:
    assert derive(text) is None


@MANY
@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    sentiment = derive("It was great. " + text)
    assert sentiment is None or (-1 <= sentiment <= 1 and sentiment == round(sentiment, 2))


def test_only_the_beginning_counts() -> None:
    assert derive("It was great. " * (TEXT_LIMIT // 14) + "terrible " * 1000) == derive("It was great. " * 10)


def test_apply_adds_a_marked_sentiment_and_drops_the_text() -> None:
    given = {**EVENT, "attributes": {"topic": "delivery"}}
    after = apply(given, True)
    assert after == {"customer_id": "c-1", "sentiment": after["sentiment"], "attributes": {"topic": "delivery", **MARK}}
    assert after["sentiment"] < -0.5
    assert given == {**EVENT, "attributes": {"topic": "delivery"}}


@pytest.mark.parametrize(
    ("given", "enabled"),
    [
        (EVENT, False),
        ({**EVENT, "sentiment": 0.0}, True),
        ({**EVENT, "text": "Which plan includes calls?"}, True),
        ({**EVENT, "attributes": {str(number): "" for number in range(50)}}, True),
        ({"customer_id": "c-1"}, True),
    ],
)
def test_apply_adds_nothing_else(given: dict[str, Any], enabled: bool) -> None:
    assert apply(given, enabled) == {name: value for name, value in given.items() if name != "text"}


def test_a_lacking_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textblob.en", None)
    _english.cache_clear()
    with pytest.raises(ConfigurationError, match=r"^TOUCHLINE_DERIVE_SENTIMENT: .* install touchline\[sentiment\]"):
        check(True)
    check(False)


def test_needs_no_network_and_is_loaded_only_when_it_is_on() -> None:
    program = """
import sys
def refuse(event, args):
    if event.startswith("socket.") and event != "socket.__new__":
        raise RuntimeError(event)
sys.addaudithook(refuse)
from pipeline.sentiment import apply, check
check(False)
assert apply({"text": "bad news"}, False) == {}
assert "textblob" not in sys.modules
check(True)
print(apply({"text": "bad news"}, True)["sentiment"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "-0.7\n"), done.stderr
