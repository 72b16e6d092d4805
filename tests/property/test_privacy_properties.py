"""Personal data, whatever stands around it; and other numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stdnum import luhn

from pipeline.personal_data import find
from pipeline.privacy import Privacy
from pipeline.privacy_rules import actions_of

FIELDS: dict[str, Any] = dict.fromkeys(("reference", "staff_id", "campaign", "partner"))
MANY = settings(max_examples=250, deadline=None, database=None)
RULES = st.sampled_from(["mask", "hash", "keep", "keep,email=mask"])
PIECES = st.sampled_from(
    [
        "ada@example.com",
        "4111 1111 1111 1111",
        "DE89370400440532013000",
        "+49 171 1234567",
        "0171 1234567",
        " ",
        "/",
        "a",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=6).map("".join)
SPACED = st.lists(PIECES | st.text(max_size=8), max_size=6).map(" ".join)
NAMES = st.sampled_from(["phone", "card_number", "cvv", "first_name"])
PREFIXES = st.sampled_from(["4", "51", "2221", "62", "6011", "65", "3528"])


@st.composite
def sixteen_digits(draw: st.DrawFn) -> str:
    prefix = draw(PREFIXES)
    return prefix + draw(st.text("0123456789", min_size=16 - len(prefix), max_size=16 - len(prefix)))


def protected(attributes: dict[str, str], rule: str) -> dict[str, str]:
    privacy = Privacy(actions_of(rule), "key", "DE")
    return privacy.protect({**FIELDS, "attributes": attributes}, Counter())["attributes"]


@MANY
@given(st.dictionaries(TEXTS | NAMES, TEXTS, max_size=4), RULES)
def test_no_card_is_left_whatever_the_rule_and_whatever_it_is_glued_to(attributes: dict[str, str], rule: str) -> None:
    once = protected(attributes, rule)
    assert len(once) == len(attributes)
    assert not [each for text in [*once, *once.values()] for each in find(text, "DE") if each.kind == "card"]


@MANY
@given(st.dictionaries(SPACED | NAMES, SPACED, max_size=4), st.sampled_from(["mask", "hash"]))
def test_nothing_is_left_of_what_stands_apart(attributes: dict[str, str], rule: str) -> None:
    once = protected(attributes, rule)
    assert not [each for text in [*once, *once.values()] for each in find(text, "DE")]
    assert rule == "hash" or protected(once, rule) == once


@MANY
@given(st.dictionaries(NAMES, st.one_of(PIECES, st.just("Ada")), max_size=4), RULES)
def test_what_is_protected_twice_is_protected_once(attributes: dict[str, str], rule: str) -> None:
    once = protected(attributes, rule)
    assert protected(once, rule) == once


@MANY
@given(sixteen_digits(), st.sampled_from(["", " ", "-", ".", "\u00a0"]), st.text(max_size=10), st.text(max_size=10))
def test_a_card_is_masked_and_a_wrong_check_digit_is_none(digits: str, gap: str, before: str, after: str) -> None:
    assume(not any(char.isalnum() for char in before[-3:] + after[:3]))
    shown = gap.join(digits[start : start + 4] for start in range(0, 16, 4))
    found = [each for each in find(f"{before}{shown}{after}") if each.kind == "card"]
    assert bool(found) == luhn.is_valid(digits)


@MANY
@given(st.uuids())
def test_a_uuid_is_nothing_else(identity: object) -> None:
    assert find(str(identity), "US") == ()


@pytest.mark.parametrize("region", ["DE", "US", "IN"])
@MANY
@given(st.datetimes())
def test_a_time_is_nothing_else(region: str, moment: Any) -> None:
    assert find(moment.isoformat(), region) == ()


@MANY
@given(TEXTS, st.sampled_from([None, "DE", "US"]), st.sampled_from([None, "phone", "card", "secret", "personal"]))
def test_any_text_is_taken(text: str, region: str | None, announced: str | None) -> None:
    found = find(text, region, announced)
    ends = [0, *(each.end for each in found)]
    assert all(end <= each.start < each.end <= len(text) for end, each in zip(ends, found, strict=False))
