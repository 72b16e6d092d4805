"""Which dead letters speak of a person: by an id, wherever it stands, and not by what only looks like one."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from pipeline.identity_hash import email_id, phone_id
from pipeline.mentions import Mentions
from schemas.codec import Decoder, Encoder
from tests.reference import touchpoint

KEY = "a key"
ANN = Mentions(["ann", "anon:device-1"])


@pytest.mark.parametrize(
    "value",
    [
        {"customer_id": "ann"},
        {"anonymous_id": "device-1"},
        {"customer": {"ids": ["bob", "ann"]}},
        {"ann": 1},
        {"body": json.dumps({"customer_id": "ann"})},
        {"body": json.dumps([json.dumps({"note": "called by ann, again"})])},
        {"note": "called by ann, again"},
        ["ann"],
    ],
)
def test_json_that_speaks_of_a_person(value: Any) -> None:
    assert ANN.in_original(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value",
    [
        {"customer_id": "anna"},
        {"channel": "x", "annotation": True},
        {"note": "the banner of device-12"},
        {"customer_id": "Ann"},
        {"value": 17, "flag": None},
        [],
    ],
)
def test_json_that_does_not(value: Any) -> None:
    assert not ANN.in_original(json.dumps(value).encode())


def test_what_is_no_json_is_searched_as_text() -> None:
    assert ANN.in_original(b'{"customer_id": "ann", "channel": "we')
    assert ANN.in_original(b"2026-01-01;ann;web")
    assert not ANN.in_original(b"2026-01-01;anna;web")
    assert not ANN.in_original(b'{"annotation": "ban')


def test_a_number_is_an_id_too() -> None:
    assert Mentions(["4711"]).in_original(b'{"customer": {"id": 4711}}')
    assert not Mentions(["4711"]).in_original(b'{"customer": {"id": 47110}}')


def test_ids_outside_ascii_are_found_as_json_writes_them() -> None:
    mentions = Mentions(["jörg"])
    cut = json.dumps({"customer_id": "jörg", "channel": "web"})[:-4].encode()
    assert mentions.in_original(cut)
    assert any(needle in cut.decode() for needle in mentions.needles)


@pytest.mark.parametrize("length", [3, 24, 70, 200])
def test_avro_is_read_or_searched_for_its_strings(length: int) -> None:
    """Of a body that cannot be read, an id is known by the length in front of it, which may look like a letter."""
    customer = "c" * length
    decode, value = Decoder("touchpoints"), Encoder("touchpoints")({**touchpoint(1), "customer_id": customer})
    for original in (value, value[:-1]):
        assert Mentions([customer]).in_original(original, decode)
        assert not Mentions([customer + "c"]).in_original(original, decode)
        assert not Mentions([customer[:-1]]).in_original(original, decode)


def test_an_address_is_known_by_its_hash() -> None:
    email, phone = email_id("ada@example.com", KEY), phone_id("+49 40 12345678", KEY, None)
    assert email is not None
    assert phone is not None
    mentions = Mentions([email, phone], KEY)
    assert mentions.by_address
    assert mentions.in_original(json.dumps({"From": "Ada <Ada@Example.com>"}).encode())
    assert mentions.in_original(json.dumps({"Caller": "+494012345678"}).encode())
    assert not mentions.in_original(json.dumps({"From": "bob@example.com"}).encode())
    assert not Mentions([email], "another key").in_original(json.dumps({"From": "ada@example.com"}).encode())
    assert not Mentions([str(uuid.uuid4())]).by_address


def test_depth_is_no_way_around() -> None:
    text = '{"customer_id": "ann"}'
    for _ in range(8):
        text = json.dumps({"body": text})
    assert ANN.in_original(text.encode())
    assert not ANN.in_original(b"[" * 100_000 + b"]" * 100_000)
