"""Whatever comes in, validation answers; and one broken field is refused by its name."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.collector.body import inflate
from pipeline.collector.intake import Intake
from pipeline.collector.pieces import Piece, split_json, split_lines
from pipeline.collector.refusal import Refusal
from pipeline.model import Rejected, dead_letter
from pipeline.parsing import parse
from pipeline.validation import FIELDS, validate
from schemas.codec import Decoder, Encoder

NOW = 1_772_366_400_000
ENCODE, ENCODE_LETTER, DECODE = Encoder("touchpoints"), Encoder("rejected"), Decoder("touchpoints")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=4),
    max_leaves=12,
)
words = st.text(min_size=1, max_size=40)
good = st.fixed_dictionaries(
    {
        "customer_id": words.filter(lambda word: not word.startswith("anon:")),
        "occurred_at": st.datetimes(timezones=st.timezones())
        .filter(lambda moment: 1971 <= moment.year <= 2025 and not moment.utcoffset().seconds % 60)  # type: ignore[union-attr]
        .map(lambda moment: moment.isoformat()),
        "channel": st.just("web"),
        "touchpoint": st.sampled_from(["page_view", "search", "x_mine"]),
    },
    optional={
        "event_id": st.uuids().map(str),
        "sentiment": st.floats(-1, 1) | st.none(),
        "value": st.floats(-1e12, 1e12),
        "currency": st.sampled_from(["EUR", "USD"]),
        "duration_ms": st.integers(0, 2**53),
        "reference": st.text(max_size=200),
        "attributes": st.dictionaries(st.text(max_size=200), st.text(max_size=1000), max_size=3),
    },
)
NEVER_FITS = {
    **dict.fromkeys(FIELDS, (1, {"a": "b"})),
    "sentiment": 2,
    "rating_score": "x",
    "value": "much",
    "duration_ms": -1,
    "wait_ms": -1,
    "rating_metric": 1,
}


@given(anything | st.dictionaries(st.sampled_from(FIELDS), anything))
def test_arbitrary_json_never_raises(event: Any) -> None:
    result = validate(event, NOW, "http")
    if isinstance(result, Rejected):
        assert result.errors
        ENCODE_LETTER(dead_letter(result, "http", NOW))
    else:
        assert DECODE(ENCODE(result)) == result


@given(good)
def test_a_good_event_is_taken_as_it_is(event: dict[str, Any]) -> None:
    record = validate(event, NOW, "http")
    assert isinstance(record, dict), record
    read = DECODE(ENCODE(record))
    for name, value in event.items():
        if name != "occurred_at":
            assert read[name] == value


@given(good, st.sampled_from(FIELDS))
def test_one_broken_field_is_named(event: dict[str, Any], field: str) -> None:
    result = validate({**event, field: NEVER_FITS[field]}, NOW, "http")
    assert isinstance(result, Rejected)
    assert field in {error.path.split(".")[0] for error in result.errors}


@given(st.binary() | st.text(st.characters(codec=None)).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_split_or_refused(body: bytes) -> None:
    for split in (split_json, split_lines):
        try:
            pieces = split(body)
        except Refusal as refusal:
            assert refusal.status in {400, 413}
        else:
            taken = Intake().take(pieces, NOW, "http")
            assert len(taken.refused) + len(taken.accepted) == len(pieces)


@given(anything)
def test_any_json_text_is_read(event: Any) -> None:
    read, problem = parse(json.dumps(event).encode())
    assert problem is None
    validate(read, NOW, "http")


@given(st.sampled_from(["gzip", "deflate"]), st.binary(max_size=200))
def test_any_bytes_inflate_or_are_refused(coding: str, raw: bytes) -> None:
    try:
        assert len(inflate(coding, raw, 1000)) <= 1000
    except Refusal as refusal:
        assert refusal.status in {400, 413}


@given(st.lists(good, min_size=1, max_size=5), st.lists(st.integers(0, 4)), st.text(max_size=10))
def test_a_bad_event_spoils_no_other(events: list[dict[str, Any]], where: list[int], word: str) -> None:
    lines = [json.dumps(event).encode() for event in events]
    for index in where:
        lines.insert(min(index, len(lines)), b'{"channel": "' + word.encode("utf-8", "replace"))
    pieces = [Piece(index, line) for index, line in enumerate(lines)]
    assert len(Intake().take(pieces, NOW, "http").accepted) == len(events)
