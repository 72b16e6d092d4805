"""Framing and bodies: what goes in comes out, and what does not fit is refused with its code."""

import random

import pytest

from schemas.codec import HEADER_BYTES, Decoder, Encoder, UndecodableError, header
from schemas.contracts import SUBJECTS, by_id, history, latest
from tests.reference import Record, touchpoint

SIMPLE = {"string": "é☃", "long": -(2**63), "int": 2**31 - 1, "double": 0.1, "boolean": True, "bytes": b"\0\xff"}


def sample(kind: object) -> object:
    """A value for an Avro type, the last branch of a union."""
    if isinstance(kind, list):
        return sample(kind[-1])
    if isinstance(kind, str):
        return SIMPLE[kind]
    assert isinstance(kind, dict)
    if kind["type"] == "record":
        return {field["name"]: sample(field["type"]) for field in kind["fields"]}
    if kind["type"] == "array":
        return [sample(kind["items"])] * 2
    if kind["type"] == "map":
        return {"a": sample(kind["values"]), "": sample(kind["values"])}
    return sample(kind["type"])


def framed() -> bytes:
    return Encoder("touchpoints")(touchpoint(1, value=1.5, attributes={"page": "/"}))


def code_of(value: bytes | None, subject: str = "touchpoints") -> str:
    with pytest.raises(UndecodableError) as caught:
        Decoder(subject)(value)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_field_of_every_contract_survives_the_round_trip(subject):
    record = sample(latest(subject).schema)
    value = Encoder(subject)(record)
    assert value[:HEADER_BYTES] == header(latest(subject).schema_id) == b"\0" + value[1:5]
    assert Decoder(subject)(value) == record


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_has_a_default_may_be_left_out_and_the_rest_may_not(subject):
    whole = sample(latest(subject).schema)
    fields = latest(subject).schema["fields"]
    least = {field["name"]: whole[field["name"]] for field in fields if "default" not in field}
    decoded = Decoder(subject)(Encoder(subject)(least))
    assert decoded == {**{field["name"]: field.get("default") for field in fields}, **least}
    missing = dict(list(least.items())[1:])
    with pytest.raises((ValueError, TypeError)):
        Encoder(subject)(missing)


def test_times_and_ids_stay_plain():
    decoded = Decoder("touchpoints")(framed())
    assert type(decoded["occurred_at"]) is int
    assert type(decoded["event_id"]) is str


@pytest.mark.parametrize("value", [None, b"", b"\0", b"\0\0\0\x03", b"\x01\0\0\x03\xe9rest", b'{"event_id": 1}'])
def test_what_is_not_framed_says_so(value):
    assert code_of(value) == "framing"


@pytest.mark.parametrize("schema_id", [0, 1, 1_000, 1_999, 2_001, 2**31])
def test_an_unknown_or_foreign_schema_id_says_so(schema_id):
    assert code_of(header(schema_id) + framed()[HEADER_BYTES:]) == "schema_id"


def test_a_body_of_another_length_says_so():
    value = framed()
    for cut in range(HEADER_BYTES, len(value)):
        assert code_of(value[:cut]) == "body"
    for more in (b"\0", b"\x02a", b"abc", value):
        assert code_of(value + more) == "body"


def test_a_body_that_is_not_utf8_says_so():
    record = touchpoint(1, reference="mark")
    assert code_of(Encoder("touchpoints")(record).replace(b"mark", b"m\xffrk")) == "body"


def test_what_is_said_of_a_body_is_short_however_long_it_is():
    value = Encoder("touchpoints")(touchpoint(1, reference="x" * 1_000_000)).replace(b"xx", b"\xff\xff")
    with pytest.raises(UndecodableError) as refusal:
        Decoder("touchpoints")(value)
    assert len(str(refusal.value)) < 500


def test_whatever_the_bytes_the_answer_is_a_record_or_a_code():
    rng = random.Random(11)
    decode, value = Decoder("touchpoints"), framed()
    for _ in range(3_000):
        broken = bytearray(value)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(HEADER_BYTES, len(broken))] = rng.choice((0, 1, 2, 127, 128, 255, rng.randrange(256)))
        try:
            decoded = decode(bytes(broken))
        except UndecodableError as error:
            assert error.code == "body"
        else:
            assert set(decoded) == set(touchpoint(1))


def test_a_refused_value_leaves_the_decoder_as_it_was():
    decode = Decoder("touchpoints")
    for value in (None, b"\0\0\0\0\0", framed() + b"x"):
        with pytest.raises(UndecodableError):
            decode(value)
    assert decode(framed())["value"] == 1.5


def test_ids_never_change_their_meaning():
    assert SUBJECTS == {
        "touchpoints": 1,
        "journeys": 2,
        "customers": 3,
        "risk": 4,
        "rejected": 5,
        "alerts": 6,
        "late": 7,
    }
    for subject in SUBJECTS:
        for contract in history(subject):
            assert by_id(contract.schema_id) == contract
    assert latest("touchpoints").schema_id // 1_000 == 1


def test_there_is_no_contract_without_a_subject():
    assert by_id(99_001) is by_id(0) is by_id(-1) is None
    with pytest.raises(KeyError):
        history("orders")


def test_every_field_and_record_is_documented():
    for subject in SUBJECTS:
        schema: Record = latest(subject).schema
        assert schema["doc"]
        assert all(field["doc"] for field in schema["fields"])
