"""How what another version wrote becomes a record of the latest one, and what cannot."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schemas.contracts import SUBJECTS, Contract, history, latest
from schemas.framing import UndecodableError
from schemas.reading import reading_of, reading_of_kept
from schemas.resolution import obstacles
from tests.evolution import MOOD, evolved, without


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: object, **more: object) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


A = field("a", "string")
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
WARM = {"type": "enum", "name": "E", "symbols": ["warm"]}
BOTH = {"type": "enum", "name": "E", "symbols": ["warm", "cold"]}


@pytest.mark.parametrize(
    ("writer", "reader", "named"),
    [
        (record(), record(A), "a is not written"),
        (record(A), record(field("a", "int")), "a is string, not int"),
        (record(field("a", "long")), record(field("a", "int")), "a is long, not int"),
        (record(field("a", MICROS)), record(field("a", MILLIS)), "a is timestamp-micros, not timestamp-millis"),
        (record(field("a", ["null", "string"])), record(A), "a is null, not string"),
        (record(field("a", "long")), record(field("a", ["null", "string"])), "a is long, which is none of"),
        (record(field("a", BOTH)), record(field("a", WARM)), "a may be cold"),
        (record(A, name="Journey"), record(A, name="Touchpoint"), "the whole is Journey, not Touchpoint"),
        (
            record(field("a", {"type": "array", "items": "long"})),
            record(field("a", {"type": "array", "items": "int"})),
            "a.items is long",
        ),
        (record(field("a", record(name="B"))), record(field("a", record(A, name="B"))), "a.a is not written"),
        (
            record(field("a", {"type": "fixed", "name": "F", "size": 4})),
            record(field("a", {"type": "fixed", "name": "F", "size": 8})),
            "a has 4 bytes, not 8",
        ),
    ],
)
def test_what_a_reader_cannot_read_is_named(writer, reader, named):
    assert next(obstacles(writer, reader)).startswith(named)


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        (record(A), record()),
        (record(), record(field("a", "string", default=""))),
        (record(field("a", "int")), record(field("a", "double"))),
        (record(field("a", MILLIS)), record(field("a", "long"))),
        (record(A), record(field("a", ["null", "string"]))),
        (record(field("a", WARM)), record(field("a", BOTH))),
        (record(field("a", BOTH)), record(field("a", {**WARM, "default": "warm"}))),
        (record(A), record(field("b", "string", aliases=["a"]))),
        (record(A, name="x.R"), record(A, name="R", namespace="y")),
    ],
)
def test_what_a_reader_can_read_has_no_obstacles(writer, reader):
    assert list(obstacles(writer, reader)) == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_schema_with_the_same_bytes_is_the_kept_version_whatever_it_says_in_words(subject):
    schema = copy.deepcopy(latest(subject).schema)
    schema["doc"] = "Said otherwise."
    for each in schema["fields"]:
        each.pop("doc")
    reading = reading_of(subject, schema)
    assert reading.contract == latest(subject)
    assert reading.as_written
    assert all(reading_of_kept(contract).contract == contract for contract in history(subject))


def test_a_newer_version_is_none_of_the_kept_and_loses_what_is_unknown():
    reading = reading_of("touchpoints", evolved())
    assert reading.contract is None
    assert (reading.reader, reading.surplus, dict(reading.defaults)) == (None, ("mood",), {})
    assert reading.fitted({"mood": "grim", "customer_id": "ann"}) == {"customer_id": "ann"}


def test_what_is_missing_takes_the_defaults():
    reading = reading_of("touchpoints", without("import_id", "attributes"))
    assert reading.contract is None
    assert reading.fitted({"customer_id": "ann"}) == {"customer_id": "ann", "import_id": None, "attributes": {}}


def test_where_types_differ_they_are_resolved():
    schema = copy.deepcopy(latest("touchpoints").schema)
    for each in schema["fields"]:
        if each["name"] == "duration_ms":
            each["type"] = ["null", "int"]
    reading = reading_of("touchpoints", schema)
    assert reading.contract is None
    assert reading.reader is not None


def test_a_kept_version_whose_nested_fields_differ_is_decoded_before_it_lands():
    """A table's column has the latest type; ClickHouse would refuse the other, or misread it."""
    older = copy.deepcopy(latest("risk").schema)
    (reasons,) = [each for each in older["fields"] if each["name"] == "reasons"]
    reasons["type"]["items"]["fields"].append(field("weight", "double", default=0.0))
    reading = reading_of_kept(Contract("risk", 1, older))
    assert reading.contract is None
    assert reading.reader is not None


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (latest("journeys").schema, "Journey, not "),
        (without("customer_id"), "customer_id is not written"),
        ({**evolved(), "name": "Other"}, "Other"),
        ({"type": "PROTOBUF"}, "is no Avro schema"),
        ({"type": "record", "name": "Touchpoint", "fields": [field("a", "other.Thing")]}, "is no Avro schema"),
        ("string", "string"),
        ([], "cannot be read as touchpoints v1"),
        (5, "is no Avro schema"),
        ({}, "is no Avro schema"),
    ],
)
def test_what_cannot_be_read_as_the_latest_version_says_why(schema, why):
    with pytest.raises(UndecodableError, match=why) as caught:
        reading_of("touchpoints", schema)
    assert caught.value.code == "schema_id"


def test_the_added_field_is_one_that_the_contract_lacks():
    assert MOOD["name"] not in {each["name"] for each in latest("touchpoints").schema["fields"]}
