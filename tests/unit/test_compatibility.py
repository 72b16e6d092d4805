"""Which changes of a contract are refused, and that the kept history holds none."""

import pytest

from schemas.compatibility import between, problems
from schemas.contracts import SUBJECTS, history


def record(*fields: dict) -> dict:
    return {"type": "record", "name": "R", "fields": list(fields)}


def field(name: str, kind: object, **more: object) -> dict:
    return {"name": name, "type": kind, **more}


A = field("a", "string")
TIME = {"type": "long", "logicalType": "timestamp-millis"}


def array_of(kind: object) -> dict:
    return {"type": "array", "items": kind}


@pytest.mark.parametrize(
    ("older", "newer", "named"),
    [
        (record(A), record(A, field("b", "int")), "b was added without a default"),
        (record(A, field("b", "int")), record(A), "b was removed but had no default"),
        (record(A), record(field("a", "bytes")), "a changed its type"),
        (record(field("a", "int")), record(field("a", "long")), "a changed its type"),
        (record(field("a", "long")), record(field("a", TIME)), "a changed its type"),
        (record(A), record(field("a", ["null", "string"], default=None)), "a changed its type"),
        (record(field("a", array_of("int"))), record(field("a", array_of("long"))), "a.items changed its type"),
        (record(field("a", array_of(record(A)))), record(field("a", array_of(record()))), "a.items.a was removed"),
        (
            record(field("a", {"type": "map", "values": "int"})),
            record(field("a", {"type": "map", "values": "string"})),
            "a.values changed its type",
        ),
        (record(field("a", record(A))), record(field("a", record(A, field("b", "int")))), "a.b was added"),
    ],
)
def test_what_old_and_new_cannot_both_read_is_named(older, newer, named):
    (problem,) = between(older, newer)
    assert problem.startswith(named)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (record(A), record(A)),
        (record(A), record(field("a", "string", doc="Said better."))),
        (record(A), record(A, field("b", ["null", "int"], default=None))),
        (record(A, field("b", "int", default=0)), record(A)),
        (record(A, field("b", "int", default=0)), record(field("b", "int", default=1), A)),
        (
            record(field("a", array_of(record(A)))),
            record(field("a", array_of(record(A, field("b", "int", default=0))))),
        ),
    ],
)
def test_what_both_can_read_is_let_through(older, newer):
    assert list(between(older, newer)) == []


def test_every_difference_is_named_not_only_the_first():
    assert len(list(between(record(A, field("b", "int")), record(field("a", "int"), field("c", "int"))))) == 3


def test_the_kept_history_can_live_together():
    assert list(problems()) == []
    assert all(history(subject)[0].version == 1 for subject in SUBJECTS)
