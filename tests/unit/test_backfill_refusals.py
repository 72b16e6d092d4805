"""The file of refused lines: all of them, whole or not at all, and never in the way of the import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.backfill_import import Import
from pipeline.backfill_readers import read
from pipeline.backfill_refusals import Refusals
from pipeline.backfill_sort import Sorter
from pipeline.model import FieldError, Rejected
from pipeline.tables.loading import parse_mapping
from tests.unit.test_backfill import GOOD, HEADER, NOW, ROW, Log, written

WHY = Rejected((FieldError("type", "value", "no number"), FieldError("range", "", "too much")), b"\xff{", line=7)


async def listed(file: Path, mapping: str | None = None) -> list[dict[str, Any]]:
    """The refused lines of a file, as the whole import lists them."""
    out = file.with_name("errors.jsonl")
    loaded = parse_mapping(mapping, "m.toml") if mapping else None
    with file.open("rb") as raw, Sorter() as sorter, Refusals(out, pytest.fail) as refusals:
        work = Import(Log(), sorter, "import", NOW, refusals=refusals)
        await work.read(read(file, raw, loaded), raw.tell, 1, lambda *_: None)
        assert refusals.finish() == out
    assert work.lines == work.good + work.rejected + work.skipped
    return [json.loads(line) for line in out.read_text().splitlines()]


async def test_every_refused_line_is_listed(tmp_path: Path) -> None:
    found = await listed(written(tmp_path / "a.jsonl", GOOD, *[{"a": 1}] * 1_500, GOOD))
    assert [each["line"] for each in found] == list(range(2, 1_502))
    assert set(found[0]) == {"line", "code", "path", "message", "original"}
    assert (found[0]["code"], found[0]["path"], found[0]["original"]) == ("unknown_field", "a", '{"a": 1}')


async def test_rows_of_a_table_are_listed_as_they_stood(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEADER + b"a,b\n" + ROW + ROW.replace(b"1.5", b"much"))
    ragged, much = await listed(tmp_path / "a.csv")
    assert (ragged["line"], ragged["code"], ragged["original"]) == (2, "ragged", "a,b\n")
    assert (much["line"], much["code"], json.loads(much["original"])["value"]) == (4, "type", "much")
    mapping = """[fields]
    customer_id = "customer_id"
    occurred_at = "occurred_at"
    channel = { constant = "web" }
    touchpoint = "touchpoint"
    value = "value"
    [[skip]]
    column = "duration_ms"
    equals = 7
    """
    (tmp_path / "a.csv").write_bytes(HEADER + ROW.replace(b"1200.0", b"7") + ROW.replace(b"1.5", b"much"))
    (much,) = await listed(tmp_path / "a.csv", mapping)
    assert (much["line"], much["code"], much["path"]) == (3, "number", "value")
    assert json.loads(much["original"])["attributes.page"] == "/a"


def test_the_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "errors.jsonl"
    with pytest.raises(RuntimeError), Refusals(out, pytest.fail) as refusals:
        refusals.add(WHY)
        assert not out.exists()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with Refusals(out, pytest.fail) as refusals:
        refusals.add(WHY)
        assert refusals.finish() == out
    assert list(tmp_path.iterdir()) == [out]
    assert json.loads(out.read_text()) == {
        "line": 7,
        "code": "type",
        "path": "value",
        "message": "no number; too much",
        "original": "\\xff{",
    }
    with Refusals(out, pytest.fail) as refusals:
        assert refusals.finish() is None
    assert list(tmp_path.iterdir()) == [], "that of an earlier run says nothing of this one"


@pytest.mark.parametrize("name", ["nowhere/errors.jsonl", "folder", "file/errors.jsonl"])
def test_a_place_that_cannot_be_written_is_said_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    said: list[str] = []
    with Refusals(tmp_path / name, said.append) as refusals:
        refusals.add(WHY)
        refusals.add(WHY)
        assert refusals.finish() is None
    assert len(said) == 1
    assert "cannot be written" in said[0]
    assert "\n" not in said[0]
    assert (tmp_path / "folder").is_dir()
