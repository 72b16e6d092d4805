"""CSV as backfills send it: header names are field names, `attributes.<name>` columns make up the attributes.

An empty cell is an absent field. A row that cannot be read (open quote, too many or too few cells, not UTF-8) is
refused by itself: reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from pipeline.backfill_readers import Line, physical_lines, too_long
from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.parsing import parse
from pipeline.validation import EVENT_LIMIT, FIELDS

ATTRIBUTE_PREFIX = "attributes."
_LONGEST_ROW_LINES = 1_000
_FLOATS = {"sentiment", "rating_score", "value"}
_INTEGERS = {"duration_ms", "wait_ms"}

Put = Callable[[dict[str, Any], str], None]


class _Row(NamedTuple):
    number: int
    raw: bytes
    cells: list[str]
    problem: FieldError | None = None


def read_csv(stream: BinaryIO) -> Iterator[Line]:
    """Return every row below the header. Raises UsageError for a header that cannot be one."""
    rows = _rows(stream)
    header = next(rows, None)
    if header is None:
        raise UsageError("the file is empty: its first line must name the fields")
    columns = [_column(name) for name in _names(header)]
    for row in rows:
        yield _line(row, columns)


def _line(row: _Row, columns: list[Put]) -> Line:
    problem = row.problem
    if problem is None and len(row.cells) != len(columns):
        problem = FieldError("ragged", "", f"{len(row.cells)} cells in a table of {len(columns)} columns")
    if problem is not None:
        return Line(row.number, None, problem, row.raw)
    event: dict[str, Any] = {}
    for put, cell in zip(columns, row.cells, strict=True):
        if cell:
            put(event, cell)
    return Line(row.number, event, None, None)


def _rows(stream: BinaryIO) -> Iterator[_Row]:
    """Read rows; lines that an unclosed quote swallowed are read again, as rows of their own."""
    lines = physical_lines(stream)
    again: deque[tuple[int, bytes, bool]] = deque()
    while (line := again.popleft() if again else next(lines, None)) is not None:
        number, raw, whole = line
        if not whole or len(raw) > EVENT_LIMIT:
            yield _Row(number, raw, [], too_long())
        elif raw.strip(b"\r\n"):
            taken = [line]
            row = _row(line, _more(taken, again, lines))
            if row.problem is not None:
                again.extendleft(reversed(taken[1:]))
            yield row


def _row(first: tuple[int, bytes, bool], more: Iterator[bytes]) -> _Row:
    number, raw, _ = first
    if b'"' not in raw:
        try:
            return _Row(number, raw, raw.decode().rstrip("\r\n").split(","))
        except UnicodeDecodeError as error:
            return _Row(number, raw, [], _not_utf8(error))
    try:
        # What is not UTF-8 may stand in a line that an open quote swallowed: validation names it where it belongs.
        texts = (line.decode("utf-8", "surrogateescape") for line in more)
        return _Row(number, raw, next(csv.reader(texts, strict=True)))
    except csv.Error as error:
        return _Row(number, raw, [], FieldError("not_csv", "", f"not CSV, or a quote is never closed: {error}"))


def _more(
    taken: list[tuple[int, bytes, bool]],
    again: deque[tuple[int, bytes, bool]],
    lines: Iterator[tuple[int, bytes, bool]],
) -> Iterator[bytes]:
    """Return the first line and then, while the reader asks, the next ones, up to what one event may hold."""
    size = len(taken[0][1])
    yield taken[0][1]
    while size <= EVENT_LIMIT and len(taken) < _LONGEST_ROW_LINES:
        line = again.popleft() if again else next(lines, None)
        if line is None:
            return
        taken.append(line)
        size += len(line[1])
        yield line[1]


def _not_utf8(error: UnicodeDecodeError) -> FieldError:
    return FieldError("not_utf8", "", f"not UTF-8 at byte {error.start} of the line")


def _names(header: _Row) -> list[str]:
    if header.problem is not None:
        raise UsageError(f"the header cannot be read: {header.problem.message}")
    names = [cell.strip() for cell in header.cells]
    for name in names:
        if name not in FIELDS and not (name.startswith(ATTRIBUTE_PREFIX) and name != ATTRIBUTE_PREFIX):
            fix = f"name it {ATTRIBUTE_PREFIX}{name}, or one of {', '.join(FIELDS)}"
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
    convert: Callable[[str], Any] = _float if name in _FLOATS else _integer if name in _INTEGERS else str
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
