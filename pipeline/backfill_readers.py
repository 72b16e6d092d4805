"""The lines of a backfill file, one at a time, whatever the file's size: JSON Lines, CSV (also gzipped) or Parquet."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.rows import Binding
from pipeline.validation import EVENT_LIMIT, original_of

BOM = b"\xef\xbb\xbf"
_LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
_CSV_SUFFIXES = (".csv",)
_TAB_SUFFIXES = (".tsv",)
_PARQUET_SUFFIXES = (".parquet", ".pq")
_GZIP_MAGIC = b"\x1f\x8b"


class Line(NamedTuple):
    """One event of the file, or why it cannot be read. `number` is that of its (first) line or its row, from 1.

    `event` is SKIPPED for a row that the mapping leaves out. `original` is what a dead letter keeps; None when the
    event as JSON says more, because a row needs its header.
    """

    number: int
    event: Any
    problem: FieldError | None
    original: bytes | None


Reader = Callable[[BinaryIO, LoadedMapping | None], Iterator[Line]]


class Source(NamedTuple):
    """The lines of an opened file, and how many of its bytes have been gone through (never fewer than before)."""

    lines: Iterator[Line]
    position: Callable[[], int]


def reader_of(file: Path) -> Reader | None:
    """Return the reader for the file's name, None for Parquet. Raises UsageError, which lists the names known."""
    from pipeline.backfill_csv import read_csv  # noqa: PLC0415 (it needs Line)
    from pipeline.backfill_json import read_json_lines  # noqa: PLC0415 (likewise)

    suffix = Path(file.stem if file.suffix == ".gz" else file.name).suffix.lower()
    if suffix in _LINES_SUFFIXES:
        return read_json_lines
    if suffix in _CSV_SUFFIXES:
        return read_csv
    if suffix in _TAB_SUFFIXES:
        return partial(read_csv, delimiter="\t")
    if file.suffix.lower() in _PARQUET_SUFFIXES:
        return None
    known = f"{', '.join((*_LINES_SUFFIXES, *_CSV_SUFFIXES, *_TAB_SUFFIXES))}, with or without .gz, or .parquet"
    raise UsageError(f"{file.name}: the name must end in one of {known}")


def source_of(file: Path, raw: BinaryIO, mapping: LoadedMapping | None = None) -> Source:
    """Return the lines of the opened file, decompressed if need be.

    Raises UsageError, there or while lines are read, for a damaged file and for one that the mapping does not fit.
    """
    reader = reader_of(file)
    if reader is None:
        from pipeline.backfill_parquet import open_parquet  # noqa: PLC0415 (the extra `parquet` may be absent)

        return open_parquet(file, raw, mapping)
    return Source(_read(file, raw, reader, mapping), raw.tell)


def read(file: Path, raw: BinaryIO, mapping: LoadedMapping | None = None) -> Iterator[Line]:
    """Return the lines alone."""
    return source_of(file, raw, mapping).lines


def _read(file: Path, raw: BinaryIO, reader: Reader, mapping: LoadedMapping | None) -> Iterator[Line]:
    zipped = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    try:
        yield from reader(cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw, mapping)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{file.name} is damaged: {error}") from error


def mapped(number: int, names: Sequence[str], cells: Sequence[Any], binding: Binding) -> Line:
    """Return the line of a row; one that does not fit the mapping keeps its cells by name, as JSON."""
    event = binding(cells)
    if isinstance(event, FieldError):
        return Line(number, None, event, original_of(dict(zip(names, cells, strict=True))))
    return Line(number, event, None, None)


def physical_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Return number, bytes and whether it is whole, of every line; one over the limit for events is cut there."""
    number = 0
    longest = EVENT_LIMIT + 2
    while line := stream.readline(longest):
        number += 1
        if number == 1:
            line = line.removeprefix(BOM)
        whole = line.endswith(b"\n") or len(line) < longest
        yield number, line, whole
        rest = b"" if whole else stream.readline(longest)
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(longest)


def too_long() -> FieldError:
    """Say that a line is over the limit."""
    return FieldError("too_large", "", f"an event may hold {EVENT_LIMIT:,} bytes, this one has more")
