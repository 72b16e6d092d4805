"""Columns that become attributes: a cell gives one, a map or an object one for each of its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipeline.tables.cells import present, text
from pipeline.tables.columns import Cell, Columns, Row
from pipeline.tables.spec import Mapping

Take = Callable[[Row], dict[str, str]]


def attributes_of(mapping: Mapping, columns: Columns) -> Take:
    """Return what gives a row's attributes; raises UsageError where the file lacks a column.

    The entries of an object keep their own names, or are called `name.entry` where the mapping names the attribute.
    """
    given = mapping.attributes
    named: list[tuple[str, str, Cell]] = []
    if isinstance(given, dict):
        for name, column in given.items():
            named.append((name, f"{name}." if name else "", columns.cell(column, f"attributes.{name}")))
    else:
        for index, column in enumerate(given):
            named.append((column, "", columns.cell(column, f"attributes.{index}")))

    def take(row: Row) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, prefix, cell in named:
            value = cell(row)
            if value is None:
                continue
            entries = entries_of(value)
            if entries is None:
                found[name] = text(value)
            else:
                found.update((prefix + entry, words) for entry, words in entries)
        return found

    return take


def entries_of(value: Any) -> Iterator[tuple[str, str]] | None:
    """The present entries of an object, or of a map as Arrow gives it (pairs); None for anything else."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list) and value and all(isinstance(each, tuple) and len(each) == 2 for each in value):
        pairs = value
    else:
        return None
    return ((text(name), text(entry)) for name, each in pairs if (entry := present(each)) is not None)
