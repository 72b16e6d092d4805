"""The rows of a CSV file in any of the usual dialects. A row that cannot be read is refused by itself.

Such a row has an open quote or is not in its encoding; reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from pipeline.backfill_readers import BOM, physical_lines, too_long
from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.validation import EVENT_LIMIT

_LONGEST_ROW_LINES = 1_000

PhysicalLine = tuple[int, bytes, bool]


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written; `quote` may be empty, where nothing is quoted. All encodings extend ASCII."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"

    @property
    def arguments(self) -> dict[str, Any]:
        """What the csv module calls it."""
        return {"delimiter": self.delimiter, "quotechar": self.quote, "strict": True}


PLAIN = Dialect()


class Row(NamedTuple):
    """The cells of a row as text, or why they cannot be read. `number` is that of its first line, from 1."""

    number: int
    raw: bytes
    cells: list[str]
    problem: FieldError | None = None


def read_rows(stream: BinaryIO, dialect: Dialect = PLAIN) -> Iterator[Row]:
    """Read rows; lines that an unclosed quote swallowed are read again, as rows of their own.

    Raises UsageError for a file that begins with the mark of UTF-8 and is said to be something else.
    """
    if dialect.encoding != "utf-8" and stream.read(len(BOM)) == BOM:
        raise UsageError(f"the file begins with the mark of UTF-8: it is not {dialect.encoding}, say encoding = utf-8")
    stream.seek(0)
    reader = _Rows(dialect)
    lines = physical_lines(stream)
    again: deque[PhysicalLine] = deque()
    while (line := again.popleft() if again else next(lines, None)) is not None:
        number, raw, whole = line
        if not whole or len(raw) > EVENT_LIMIT:
            yield Row(number, raw, [], too_long())
        elif raw.strip(b"\r\n"):
            taken = [line]
            row = reader.row(line, _more(taken, again, lines))
            if row.problem is not None:
                again.extendleft(reversed(taken[1:]))
            yield row


class _Rows:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._delimiter, self._encoding, self._quote = dialect.delimiter, dialect.encoding, dialect.quote.encode()

    def row(self, first: PhysicalLine, more: Iterator[bytes]) -> Row:
        number, raw, _ = first
        if not self._quote or self._quote not in raw:
            try:
                return Row(number, raw, raw.decode(self._encoding).rstrip("\r\n").split(self._delimiter))
            except UnicodeDecodeError as error:
                return Row(number, raw, [], self._undecodable(error))
        try:
            # What is undecodable may stand in a line that an open quote swallowed: validation names it where it is.
            texts = (line.decode(self._encoding, "surrogateescape") for line in more)
            return Row(number, raw, next(csv.reader(texts, **self._dialect.arguments)))
        except csv.Error as error:
            return Row(number, raw, [], FieldError("not_csv", "", f"not CSV, or a quote is never closed: {error}"))

    def _undecodable(self, error: UnicodeDecodeError) -> FieldError:
        name = self._encoding
        if name == "utf-8":
            return FieldError("not_utf8", "", f"not UTF-8 at byte {error.start} of the line")
        return FieldError("not_decodable", "", f"not {name} at byte {error.start} of the line")


def _more(taken: list[PhysicalLine], again: deque[PhysicalLine], lines: Iterator[PhysicalLine]) -> Iterator[bytes]:
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
