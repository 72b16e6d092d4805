"""Writing a report to a folder: the page, and its tables as CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.csv_cells import neutral
from pipeline.errors import UsageError
from pipeline.report.section import Section
from pipeline.report.tables import Table, exact


class Written(NamedTuple):
    """A file that was written, and its size in bytes."""

    path: Path
    size: int


def write_page(folder: Path, page: str) -> Written:
    """Write the page as report.html, whole or not at all. Raises UsageError for a folder that cannot be written to."""
    return _write(folder / "report.html", page)


def write_csv(folder: Path, sections: Iterable[Section]) -> list[Written]:
    """Write every section's table, in UTF-8 with the view's own names and values, and no cell that is a formula."""
    return [_write(folder / f"{section.id}.csv", as_csv(section.table)) for section in sections]


def as_csv(table: Table) -> str:
    """A table as CSV: numbers as they are, times in RFC 3339, lists as JSON."""
    fields = [column.field for column in table.columns]
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_cell(row[field]) for field in fields] for row in table.rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float) else neutral(exact(value))


def _write(path: Path, text: str) -> Written:
    content = text.encode("utf-8", "surrogateescape")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"--out {path.parent}: cannot write {path.name} there: {error.strerror}") from error
    return Written(path, len(content))
