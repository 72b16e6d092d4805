"""A table of a report: rows of a view under titles, each cell with the view's own value beside the written one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from pipeline.report import words

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column: the view's name of it, its title, how a value is written, what it means, and what its values are."""

    field: str
    title: str
    write: Callable[[Any], str | list[str]] = words.text
    meaning: str = ""
    kind: Literal["number", "words", "list", "time"] = "number"


class Cell(NamedTuple):
    """A cell: `exact` is the view's value as text, `lines` what the reader sees."""

    exact: str
    lines: list[str]


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    cards: bool = False
    """True: on a phone each row becomes a card of its own."""

    def cells(self) -> list[list[Cell]]:
        """The cells, row by row."""
        return [[cell(row[column.field], column) for column in self.columns] for row in self.rows]


def label(field: str, title: str, write: Callable[[Any], str | list[str]] = words.text, meaning: str = "") -> Column:
    """A column of words rather than numbers."""
    return Column(field, title, write, meaning, kind="words")


def listing(field: str, title: str, write: Callable[[Any], list[str]], meaning: str = "") -> Column:
    """A column of lists, each item a line of its own and in need of room."""
    return Column(field, title, write, meaning, kind="list")


def time(field: str, title: str, meaning: str = "UTC") -> Column:
    """A column of times."""
    return Column(field, title, words.moment, meaning, kind="time")


def cell(value: Any, column: Column) -> Cell:
    """A value as a column writes it."""
    written = column.write(value)
    return Cell(exact(value), [written] if isinstance(written, str) else written)


def exact(value: Any) -> str:
    """A value of the view as text from which it can be had back: times in RFC 3339, lists and maps as JSON."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)
