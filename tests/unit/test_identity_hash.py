"""Pseudonyms of e-mail addresses and phone numbers."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.identity_hash import email_id, phone_id

MANY = settings(max_examples=100, deadline=None, database=None)
KEY = "a key of the company's own"


def keyed(kind: str, text: str, key: str = KEY) -> str:
    return f"{kind}:{hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]}"


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "  Ada@Example.COM\n",
        "Ada Lovelace <ada@example.com>",
        '"Lovelace, Ada" <Ada@example.com>',
        "<ada@example.com>",
        "ada\uff20example.com",
    ],
)
def test_one_address_has_one_id(text: str) -> None:
    assert email_id(text, KEY) == keyed("email", "ada@example.com")


@pytest.mark.parametrize("text", ["o'neil+shop@mail.example.co.uk", "jürgen@müller.de", "a@b.xn--p1ai"])
def test_addresses_as_people_have_them(text: str) -> None:
    assert email_id(text, KEY) == keyed("email", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "ada@10.0.0.1",
        "a b@example.com",
        "ada@example..com",
        "<>",
        "ada@example.com, ben@example.com",
        "ada@-a.com",
        "a" * 250 + "@b.de",
        "a@" + "b" * 64 + ".de",
        "ada@ex.c0m",
    ],
)
def test_what_is_no_address_has_no_id(text: str) -> None:
    assert email_id(text, KEY) is None


@pytest.mark.parametrize(
    "text",
    [
        "+49 40 1234567",
        "040 1234567",
        "(040) 123-4567",
        "0049 40 1234567",
        "tel:+49-40-1234567",
        "whatsapp:+49401234567",
        "\uff0b\uff14\uff19\uff14\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "040/1234567",
        "+49 (0) 40 1234567",
    ],
)
def test_one_number_has_one_id(text: str) -> None:
    assert phone_id(text, KEY, "DE") == keyed("phone", "+49401234567")


@pytest.mark.parametrize("region", [None, ""])
def test_without_a_region_only_international_numbers_are_numbers(region: str | None) -> None:
    assert phone_id("+1 202-456-1111", KEY, region) == keyed("phone", "+12024561111")
    assert phone_id("202-456-1111", KEY, region) is None


@pytest.mark.parametrize(
    "text", ["", "anonymous", "+", "12", "+1 555 0100 99999", "order 0401234567", "2026-11-21T10:00", "1.5"]
)
def test_what_is_no_number_has_no_id(text: str) -> None:
    assert phone_id(text, KEY, "DE") is None


def test_without_a_key_it_is_the_plain_hash() -> None:
    assert email_id("ada@example.com", "") == f"email:{hashlib.sha256(b'ada@example.com').hexdigest()[:32]}"


def test_another_key_gives_another_id() -> None:
    assert email_id("ada@example.com", "one") != email_id("ada@example.com", "two")


@MANY
@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert email_id(text, KEY) is None or "@" in text or "\uff20" in text or "\ufe6b" in text
    phone_id(text, KEY, "US")
