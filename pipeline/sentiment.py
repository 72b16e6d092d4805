"""Mood of a text where a source gives nothing but the text: a rough guess, and marked as one.

It reads English only, by a lexicon of rated words (TextBlob's, that of the pattern library): no network, no downloads.
Irony misleads it, and complaints that state facts without a word of feeling pass it by; a short text in a related
language may be taken for English. Of tests/fixtures/service_messages.jsonl, 72 short messages, it decides 45 of the 61
with a mood, 38 of them rightly, and 2 of the 11 without one. A message takes about 40 µs. It is off unless
TOUCHLINE_DERIVE_SENTIMENT is on, and needs the extra `sentiment`.
"""

from __future__ import annotations

import importlib
import re
import warnings
from functools import cache
from typing import Any

from pipeline.errors import ConfigurationError

SOURCE = "derived:textblob"
"""What attribute `sentiment_source` says of a sentiment that was derived here."""
TEXT_LIMIT = 1_000
"""Characters of a text that are read: what a person feels is said early, and it bounds the cost."""
MOST_ATTRIBUTES = 50
_LEAST_WORDS = 2
_LEAST_POLARITY = 0.05
_ENGLISH = 0.6
_OFTEN = 10
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")


def check(enabled: bool) -> None:
    """Raise ConfigurationError when sentiment is to be derived and cannot be; load what that needs."""
    if not enabled:
        return
    try:
        _english()
    except ImportError as error:
        fix = "install touchline[sentiment], or set it to false"
        raise ConfigurationError(f"TOUCHLINE_DERIVE_SENTIMENT: TextBlob is not installed: {fix}") from error


def apply(event: dict[str, Any], enabled: bool) -> dict[str, Any]:
    """The event without `text`, and with a sentiment derived from it if it is to be and brought none.

    A derived sentiment never goes unmarked: an event whose attributes are full gets none.
    """
    if "text" not in event:
        return event
    rest = {name: value for name, value in event.items() if name != "text"}
    attributes = rest.get("attributes") or {}
    if not enabled or rest.get("sentiment") is not None or len(attributes) >= MOST_ATTRIBUTES:
        return rest
    sentiment = derive(event["text"])
    if sentiment is None:
        return rest
    return {**rest, "sentiment": sentiment, "attributes": {**attributes, "sentiment_source": SOURCE}}


def derive(text: object) -> float | None:
    """The mood of an English text, -1 (bad) to 1 (good), in hundredths.

    None for what is no text, is shorter than two words, is not English or shows no feeling.
    """
    if not isinstance(text, str):
        return None
    shown = text[:TEXT_LIMIT]
    words = [word.lower().replace("\u2019", "'") for word in _WORD.findall(shown)]
    if len(words) < _LEAST_WORDS or not _is_english(words):
        return None
    polarity = float(_english().sentiment(shown)[0])
    return round(max(-1.0, min(1.0, polarity)), 2) if abs(polarity) >= _LEAST_POLARITY else None


def _is_english(words: list[str]) -> bool:
    """Tell whether most words are rated ones or, up to an apostrophe, frequent in English books.

    Rare ones do not count: those books quote other languages.
    """
    english = _english()
    known = (
        word in english.sentiment or int(english.spelling.get(word.partition("'")[0], 0)) >= _OFTEN for word in words
    )
    return sum(known) >= _ENGLISH * len(words)


@cache
def _english() -> Any:
    """TextBlob's English part with its word lists read. Raises ImportError."""
    english = importlib.import_module("textblob.en")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves closing their files to the garbage collector
        english.sentiment("good")
        english.spelling.get("good")
    return english
