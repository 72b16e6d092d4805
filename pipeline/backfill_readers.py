"""The lines of a backfill file, one at a time, whatever the file's size: JSON Lines or CSV, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.parsing import parse
from pipeline.validation import EVENT_LIMIT

BOM = b"\xef\xbb\xbf"
_LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
_CSV_SUFFIXES = (".csv",)
_GZIP_MAGIC = b"\x1f\x8b"
_SPACE = b" \t\r\n"


class Line(NamedTuple):
    """One event of the file, or why it cannot be read. `number` is that of its (first) line, from 1.

    `original` is what a dead letter keeps; None when the event as JSON says more, because a row needs its header.
    """

    number: int
    event: Any
    problem: FieldError | None
    original: bytes | None


Reader = Callable[[BinaryIO], Iterator[Line]]


def reader_of(file: Path) -> Reader:
    """Return the reader for the file's name. Raises UsageError, which lists the names that are known."""
    from pipeline.backfill_csv import read_csv  # noqa: PLC0415 (it needs Line)

    suffix = Path(file.stem if file.suffix == ".gz" else file.name).suffix.lower()
    if suffix in _LINES_SUFFIXES:
        return read_json_lines
    if suffix in _CSV_SUFFIXES:
        return read_csv
    known = ", ".join((*_LINES_SUFFIXES, *_CSV_SUFFIXES))
    raise UsageError(f"{file.name}: the name must end in one of {known}, with or without .gz")


def read(file: Path, raw: BinaryIO) -> Iterator[Line]:
    """Return the lines of the opened file, decompressed if need be. Raises UsageError for a damaged file."""
    reader = reader_of(file)
    zipped = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    try:
        yield from reader(cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{file.name} is damaged: {error}") from error


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


def read_json_lines(stream: BinaryIO) -> Iterator[Line]:
    """Return every line that is not blank. Raises UsageError for a file that is one JSON array."""
    for number, raw, whole in physical_lines(stream):
        line = raw.strip(_SPACE)
        if not line:
            continue
        if number == 1 and line.startswith(b"["):
            raise UsageError("the file is a JSON array: write one object a line, for example with jq -c '.[]'")
        if whole and len(line) <= EVENT_LIMIT:
            event, problem = parse(line)
        else:
            event, problem = None, too_long()
        yield Line(number, event, problem, line)
