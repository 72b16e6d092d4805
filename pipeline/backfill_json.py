"""JSON Lines as backfills send them: events, or with a mapping any objects, whose keys are the columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

from pipeline.backfill_readers import Line, mapped, physical_lines, too_long
from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.parsing import parse
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.rows import Binding, refuse_dialect
from pipeline.validation import EVENT_LIMIT

_SPACE = b" \t\r\n"
SAMPLE_LINES = 500
"""So many lines are looked at to learn which columns there are."""


class _Parsed(NamedTuple):
    number: int
    value: Any
    problem: FieldError | None
    raw: bytes


def read_json_lines(stream: BinaryIO, mapping: LoadedMapping | None = None) -> Iterator[Line]:
    """Return every line that is not blank.

    Raises UsageError for a file that is one JSON array, and where none of the first lines has a column of the mapping.
    """
    if mapping is None:
        yield from (Line(*parsed) for parsed in _parsed(stream))
        return
    refuse_dialect(mapping, "JSON Lines")
    lines = _parsed(stream)
    sample = list(islice(lines, SAMPLE_LINES))
    names = _columns(sample, mapping)
    binding = Binding(mapping, names)
    for each in chain(sample, lines):
        yield _line(each, names, binding)


def _columns(sample: list[_Parsed], mapping: LoadedMapping) -> list[str]:
    """All keys of the sample, and the optional columns, which may turn up later."""
    objects = [each.value for each in sample if isinstance(each.value, dict)]
    return list(dict.fromkeys([*(name for value in objects for name in value), *mapping.spec.file.optional]))


def _line(parsed: _Parsed, names: list[str], binding: Binding) -> Line:
    number, value, problem, raw = parsed
    if problem is not None:
        return Line(number, None, problem, raw)
    if not isinstance(value, dict):
        return Line(number, None, FieldError("type", "", "a line must be a JSON object: its keys are the columns"), raw)
    line = mapped(number, names, [value.get(name) for name in names], binding)
    return line._replace(original=raw) if line.problem is not None else line


def _parsed(stream: BinaryIO) -> Iterator[_Parsed]:
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
        yield _Parsed(number, event, problem, line)
