"""CSV as backfills send it: with a mapping, or with header names that are field names.

`attributes.<name>` columns make up the attributes. An empty cell is an absent field. A row with too many or too few
cells, and one that cannot be read (backfill_rows), is refused by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from pipeline.backfill_readers import Line, mapped
from pipeline.backfill_rows import Dialect, Row, read_rows
from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.parsing import parse
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.rows import Binding
from pipeline.tables.spec import NUMBERS, WHOLE_NUMBERS
from pipeline.validation import FIELDS

ATTRIBUTE_PREFIX = "attributes."

Put = Callable[[dict[str, Any], str], None]


def read_csv(stream: BinaryIO, mapping: LoadedMapping | None = None, delimiter: str = ",") -> Iterator[Line]:
    """Return every row below the header; the delimiter is the mapping's, if it names one.

    Raises UsageError for a header that cannot be one, or misses columns.
    """
    rows = read_rows(stream, _dialect(mapping, delimiter))
    names = _header(next(rows, None))
    if mapping is None:
        columns = [_column(name) for name in _fields(names)]
        for row in rows:
            yield _line(row, columns)
        return
    binding, width = Binding(mapping, names), len(names)
    for row in rows:
        problem = _problem(row, width)
        if problem is not None:
            yield Line(row.number, None, problem, row.raw)
        else:
            yield mapped(row.number, names, row.cells, binding)


def _dialect(mapping: LoadedMapping | None, delimiter: str) -> Dialect:
    if mapping is None:
        return Dialect(delimiter)
    file = mapping.spec.file
    return Dialect(
        file.delimiter if "delimiter" in file.model_fields_set else delimiter,
        file.quote,
        file.encoding.removesuffix("-sig"),
    )


def _header(header: Row | None) -> list[str]:
    if header is None:
        raise UsageError("the file is empty: its first line must name the fields")
    if header.problem is not None:
        raise UsageError(f"the header cannot be read: {header.problem.message}")
    return [cell.strip() for cell in header.cells]


def _problem(row: Row, width: int) -> FieldError | None:
    if row.problem is None and len(row.cells) != width:
        return FieldError("ragged", "", f"{len(row.cells)} cells in a table of {width} columns")
    return row.problem


def _line(row: Row, columns: list[Put]) -> Line:
    problem = _problem(row, len(columns))
    if problem is not None:
        return Line(row.number, None, problem, row.raw)
    event: dict[str, Any] = {}
    for put, cell in zip(columns, row.cells, strict=True):
        if cell:
            put(event, cell)
    return Line(row.number, event, None, None)


def _fields(names: list[str]) -> list[str]:
    for name in names:
        if name not in FIELDS and not (name.startswith(ATTRIBUTE_PREFIX) and name != ATTRIBUTE_PREFIX):
            fix = f"name it {ATTRIBUTE_PREFIX}{name}, or one of {', '.join(FIELDS)}; or give a --mapping"
            raise UsageError(f"column {name!r} is not a field of a touchpoint: {fix}")
        if names.count(name) > 1:
            raise UsageError(f"column {name!r} stands twice in the header")
    return names


def _column(name: str) -> Put:
    """Return what puts a cell of this column into an event. Cells that do not fit are left for validation to name."""
    if name.startswith(ATTRIBUTE_PREFIX):
        attribute = name.removeprefix(ATTRIBUTE_PREFIX)

        def put_attribute(event: dict[str, Any], cell: str) -> None:
            attributes = event.setdefault("attributes", {})
            if isinstance(attributes, dict):
                attributes[attribute] = cell

        return put_attribute
    convert: Callable[[str], Any] = _integer if name in WHOLE_NUMBERS else _float if name in NUMBERS else str
    if name == "attributes":
        convert = _object

    def put(event: dict[str, Any], cell: str) -> None:
        event[name] = convert(cell)

    return put


def _float(cell: str) -> float | str:
    try:
        return cell if "_" in cell else float(cell)
    except ValueError:
        return cell


def _integer(cell: str) -> int | str:
    """Take 1200 and, as tables write it, 1200.0."""
    number = _float(cell)
    return int(number) if isinstance(number, float) and number.is_integer() else cell


def _object(cell: str) -> Any:
    value, problem = parse(cell.encode())
    return cell if problem else value
