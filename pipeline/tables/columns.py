"""Finding a mapping's columns among those that a file has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pipeline.errors import UsageError
from pipeline.tables.cells import present
from pipeline.tables.spec import Mapping, values_of

Row = Sequence[Any]
Cell = Callable[[Row], Any]
_LISTED = 12


class Columns:
    """The columns of one file by name; `a.b` also means the entry b of a column a that holds objects."""

    def __init__(self, names: Sequence[str], mapping: Mapping, where: str) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._twice = {name for name, count in Counter(names).items() if count > 1}
        self._optional = set(mapping.file.optional)
        self._where = where

    def cell(self, name: str, key: str) -> Cell:
        """Return what takes the column's cell out of a row, None for an empty one.

        Raises UsageError, which names the mapping's key and the nearest columns, where the file has no such column.
        """
        if name in self._twice:
            raise UsageError(f"{self._where}: {key}: column {name!r} stands twice in the file: rename one of them")
        if name in self._places:
            place = self._places[name]
            return lambda row: present(row[place])
        root, _, entry = name.partition(".")
        if entry and root in self._places:
            return _entry(self._places[root], entry.split("."))
        if name in self._optional:
            return lambda row: None
        fix = f"{self._nearest(name)} (or list it in file.optional)"
        raise UsageError(f"{self._where}: {key}: the file has no column {name!r}: {fix}")

    def _nearest(self, name: str) -> str:
        lowered = {each.lower(): each for each in self._places}
        near = [lowered[each] for each in get_close_matches(name.lower(), lowered, n=3)]
        names = near or list(self._places)
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        listed = ", ".join(map(repr, names[:_LISTED])) + more
        return f"did you mean {listed}?" if near else f"it has {listed or 'none'}"


def _entry(place: int, path: Sequence[str]) -> Cell:
    def cell(row: Row) -> Any:
        value = row[place]
        for name in path:
            value = dict(value).get(name) if isinstance(value, (dict, list)) and _is_object(value) else None
        return present(value)

    return cell


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) or all(isinstance(each, tuple) and len(each) == 2 for each in value)


def columns_used(mapping: Mapping) -> Iterator[str]:
    """Every column that the mapping names, some of them several times."""
    yield from (condition.column for condition in mapping.skip)
    for name, field in mapping.fields.items():
        for case in field.cases:
            yield from (condition.column for condition in case.when)
        for _, value in values_of(field, name):
            yield from (column for column in (value.column, value.times) if column is not None)
    attributes = mapping.attributes
    yield from attributes.values() if isinstance(attributes, dict) else attributes


def needed(mapping: Mapping, names: Iterable[str]) -> list[str]:
    """Those of the file's columns that the mapping needs, in the file's order."""
    used = set(columns_used(mapping))
    wanted = used | {name.partition(".")[0] for name in used}
    return [name for name in names if name in wanted]
