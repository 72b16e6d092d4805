"""A report's files."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.report import words
from pipeline.report.section import Section
from pipeline.report.tables import Column, Table, label
from pipeline.report.writing import as_csv, write_csv, write_page

TABLE = Table("", (label("who", "Who"), Column("much", "Much", words.amount)), [{"who": "=1+1", "much": -2.5}])


def test_a_table_as_csv_has_the_views_names_and_no_formula() -> None:
    assert list(csv.reader(StringIO(as_csv(TABLE)))) == [["who", "much"], ["'=1+1", "-2.5"]]


def test_files_are_written_whole(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    page = write_page(folder, "<p>ü")
    [table] = write_csv(folder, [Section("risk", "", "", "", "", TABLE)])
    assert (page.path.read_text("utf-8"), page.size) == ("<p>ü", 5)
    assert table.path.read_text("utf-8") == as_csv(TABLE)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "risk.csv"]


def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--out .*file: cannot write report.html there: File exists"):
        write_page(tmp_path / "file", "")
