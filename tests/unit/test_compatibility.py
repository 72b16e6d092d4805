"""Which changes of a contract are refused, and that the kept history holds none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.compatibility import between, invalid, problems
from schemas.contracts import SUBJECTS, Avro, history, latest
from tests.evolution import MOOD, add_version, copy_of_schemas, evolved, without


def record(*fields: dict) -> dict:
    return {"type": "record", "name": "R", "fields": list(fields)}


def field(name: str, kind: object, **more: object) -> dict:
    return {"name": name, "type": kind, **more}


A = field("a", "string")
TIME = {"type": "long", "logicalType": "timestamp-millis"}


WARM = {"type": "enum", "name": "E", "symbols": ["warm"]}
BOTH = {"type": "enum", "name": "E", "symbols": ["warm", "cold"]}


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
        (record(A), {**record(A), "name": "S"}, "the record was renamed from R to S"),
        (record(A), {**record(A), "namespace": "n"}, "the record was renamed from R to n.R"),
        (
            record(field("a", "int", default=0)),
            record(field("b", "int", default=0, aliases=["a"])),
            "a was renamed to b",
        ),
        (record(field("a", WARM)), record(field("a", BOTH)), "a changed its type"),
        (record(field("a", ["null", WARM])), record(field("a", ["null", BOTH])), "a changed its type"),
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
        (record(field("a", WARM)), record(field("a", {**WARM, "doc": "Said better."}))),
        (record(field("a", ["null", WARM])), record(field("a", ["null", {**WARM, "doc": "Said better."}]))),
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


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (record(field("a", "int", default="x")), "it is no Avro schema"),
        (record(field("a", ["string", "null"], default=None)), "a has a default"),
        (record(field("a", array_of({**record(field("b", ["int", "null"], default=None)), "name": "S"}))), "a.b has a"),
        (record(field("a", "unknown")), "it is no Avro schema"),
        ({"type": "array", "items": "int"}, "it must be a record"),
        ([], "it must be a record"),
        ("no", "it is no Avro schema"),
        (5, "it is no Avro schema"),
    ],
)
def test_what_is_no_contract_at_all_is_named(schema, named):
    (problem,) = invalid(schema)
    assert problem.startswith(named)


def test_defaults_that_fit_are_let_through():
    fields = [field("a", ["null", "int"], default=None), field("b", ["bytes", "null"], default="\u00ff")]
    assert list(invalid(record(*fields, field("c", ["int", "null"], default=1)))) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_of_schemas(tmp_path / "schemas")


def check(folder: Path, command: str = "check") -> tuple[int, str]:
    """What `make check` runs, on another folder."""
    words = [sys.executable, "-m", "schemas", command, "--folder", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def change(changed: str, /, **to: object) -> Avro:
    """The latest touchpoints with one field changed; a value of `...` takes the key away."""
    schema = evolved()
    for each in schema["fields"]:
        if each["name"] == changed:
            for key, value in to.items():
                each.pop(key, None) if value is ... else each.update({key: value})
    return schema


BAD: dict[str, tuple[Callable[[], Avro], str]] = {
    "removed without default": (lambda: without("channel"), "channel was removed but had no default"),
    "added without default": (lambda: evolved({"name": "mood", "type": "string"}), "mood was added without a default"),
    "changed type": (lambda: change("channel", type="bytes"), "channel changed its type"),
    "narrowed type": (lambda: change("duration_ms", type=["null", "int"]), "duration_ms changed its type"),
    "widened type": (lambda: change("channel", type=["null", "string"]), "channel changed its type"),
    "renamed": (lambda: change("channel", name="medium"), "channel was removed but had no default"),
    "renamed with an alias": (
        lambda: change("partner", name="ally", aliases=["partner"]),
        "partner was renamed to ally: old readers and tables do not know",
    ),
    "changed logical type": (
        lambda: change("occurred_at", type={"type": "long", "logicalType": "timestamp-micros"}),
        "occurred_at changed its type",
    ),
    "default that does not fit": (lambda: evolved({**MOOD, "default": "none"}), "mood has a default"),
    "renamed record": (lambda: {**evolved(), "name": "Contact"}, "the record was renamed"),
    "no schema": (lambda: {"type": "record"}, "it is no Avro schema"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_incompatible_version_is_refused_by_the_check_and_cannot_be_released(folder, name):
    make, why = BAD[name]
    add_version(folder, make())
    before = (folder / "released.json").read_text()
    for command in ("check", "release"):
        status, said = check(folder, command)
        assert status == 1
        assert why in said
    assert (folder / "released.json").read_text() == before


def test_a_changed_enum_is_refused_by_the_check(folder):
    """Against a second version that had one, since the first has none."""
    add_version(folder, evolved({**MOOD, "type": ["null", WARM]}), version=2)
    add_version(folder, evolved({**MOOD, "type": ["null", BOTH]}), version=3)
    status, said = check(folder)
    assert status == 1
    assert "touchpoints v2 -> v3: mood changed its type" in said


def test_a_good_new_version_passes_once_it_is_released(folder):
    assert check(folder) == (0, "")
    add_version(folder, evolved())
    status, said = check(folder)
    assert status == 1
    assert said.splitlines() == [
        "refused: touchpoints v2 is not in released.json: when it is final, run `python -m schemas release`"
    ]
    assert check(folder, "release") == check(folder) == (0, "")


@pytest.mark.parametrize("how", ["edited", "only its words", "removed"])
def test_a_released_version_is_never_touched_again(folder, how):
    file = folder / "risk" / "v1.avsc"
    schema = json.loads(file.read_text())
    if how == "edited":
        schema["fields"].append({"name": "b", "type": "int", "default": 0})
    schema["doc"] = "Other words."
    file.write_text(json.dumps(schema))
    if how == "removed":
        file.unlink()
    for command in ("check", "release"):
        status, said = check(folder, command)
        assert status == 1
        assert f"risk v1 was {'removed' if how == 'removed' else 'edited'}, but it is released" in said


def test_white_space_is_no_edit(folder):
    file = folder / "risk" / "v1.avsc"
    file.write_text(json.dumps(json.loads(file.read_text()), indent=8))
    assert check(folder) == (0, "")


def test_versions_have_no_gaps(folder):
    add_version(folder, latest("touchpoints").schema, version=3)
    assert "touchpoints: versions must be numbered from 1 without gaps" in check(folder)[1]
