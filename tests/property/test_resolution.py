"""Avro's schema resolution as we judge it beforehand, against the library that does it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError
from hypothesis import event, given
from hypothesis import strategies as st

from schemas.parsing import parsed_schema
from schemas.resolution import obstacles

SIMPLE = st.sampled_from(["null", "boolean", "int", "long", "double", "string", "bytes"])
VALUES = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "string": st.text("aé", max_size=3),
    "bytes": st.text(alphabet="ab").map(str.encode),
}
TYPES = st.one_of(
    SIMPLE,
    st.lists(SIMPLE, min_size=1, max_size=3, unique=True),
    st.builds(lambda kind: {"type": "array", "items": kind}, SIMPLE),
    st.builds(lambda kind: {"type": "map", "values": kind}, SIMPLE),
)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, list):
        return st.one_of([values_of(branch).map(lambda value, b=branch: (b, value)) for branch in kind])
    if isinstance(kind, dict) and kind["type"] == "array":
        return st.lists(values_of(kind["items"]), max_size=2)
    if isinstance(kind, dict):
        return st.dictionaries(st.text("ab", max_size=2), values_of(kind["values"]), max_size=2)
    return VALUES[kind]


NAMES = st.sampled_from("abc")


def record(fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": fields[name]} for name in fields]}


@given(st.data())
def test_where_nothing_stands_in_the_way_every_body_can_be_read(data):
    written = data.draw(st.dictionaries(NAMES, TYPES), label="written")
    other = data.draw(st.dictionaries(NAMES, TYPES), label="other")
    kept = data.draw(st.sets(NAMES), label="kept as written")
    wanted = other | {name: kind for name, kind in written.items() if name in kept}
    values = {name: data.draw(values_of(kind)) for name, kind in written.items()}
    body = BytesIO()
    schemaless_writer(body, parsed_schema(record(written)), values)
    body.seek(0)
    found = list(obstacles(record(written), record(wanted)))
    event("can be read" if not found else "cannot be read")
    if not found:
        decoded = schemaless_reader(body, parsed_schema(record(written)), parsed_schema(record(wanted)))
        assert decoded.keys() == wanted.keys()


@given(st.data())
def test_an_obstacle_is_one_for_the_library_too_or_for_some_other_value(data):
    """With one field of a plain type, what is refused cannot be read whatever the value."""
    before, after = data.draw(SIMPLE), data.draw(SIMPLE)
    if not list(obstacles(record({"a": before}), record({"a": after}))):
        return
    body = BytesIO()
    schemaless_writer(body, parsed_schema(record({"a": before})), {"a": data.draw(values_of(before))})
    body.seek(0)
    with pytest.raises(SchemaResolutionError):
        schemaless_reader(body, parsed_schema(record({"a": before})), parsed_schema(record({"a": after})))
