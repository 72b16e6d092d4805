"""Fields of a mapping as functions of a row: from cells to the value that a touchpoint's field needs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from pipeline.tables.cells import UnfitError, shown, text
from pipeline.tables.columns import Cell, Columns, Row
from pipeline.tables.conditions import any_of
from pipeline.tables.numbers import ToNumber, as_integer
from pipeline.tables.spec import NUMBERS, TIME, WHOLE_NUMBERS, FieldSpec, Value
from pipeline.tables.times import time_reader

ToValue = Callable[[Row], Any]
Convert = Callable[[Any], Any]


def field_value(name: str, spec: FieldSpec, columns: Columns, number: ToNumber) -> ToValue:
    """Return what gives the field's value, None where it is absent; that raises UnfitError.

    Raises UsageError where the file lacks a column.
    """
    key = f"fields.{name}"
    cases = [
        (
            any_of(case.when, f"{key}.cases.{index}.when", columns, number),
            _value(name, case, f"{key}.cases.{index}", columns, number),
        )
        for index, case in enumerate(spec.cases)
    ]
    if not cases:
        return _value(name, spec, key, columns, number)
    own = _value(name, spec, key, columns, number) if spec.column is not None else _constant(spec.constant)

    def value(row: Row) -> Any:
        for applies, its in cases:
            if applies(row):
                return its(row)
        return own(row)

    return value


def _constant(constant: Any) -> ToValue:
    return lambda row: constant


def _value(name: str, spec: Value, key: str, columns: Columns, number: ToNumber) -> ToValue:
    if spec.column is None:
        return _constant(spec.constant)
    cell = columns.cell(spec.column, f"{key}.column")
    if spec.times is not None:
        cell = _product(cell, columns.cell(spec.times, f"{key}.times"), number)
    convert, default, column = _converter(name, spec, key, number), spec.default, spec.column

    def value(row: Row) -> Any:
        given = cell(row)
        if given is None:
            return default
        try:
            return convert(given)
        except UnfitError as error:
            raise UnfitError(error.code, f"column {column!r}: {error}") from None

    return value


def _product(cell: Cell, times: Cell, number: ToNumber) -> Cell:
    def product(row: Row) -> Any:
        left, right = cell(row), times(row)
        return None if left is None or right is None else number(left) * number(right)

    return product


def _converter(name: str, spec: Value, key: str, number: ToNumber) -> Convert:
    if spec.lookup is not None:
        return _lookup(spec, key)
    if name == TIME:
        return time_reader(spec.format, spec.zone, number)
    if name not in NUMBERS:
        return text
    factor = None if spec.scale is None else Decimal(repr(spec.scale))

    def scaled(cell: Any) -> Decimal:
        return number(cell) if factor is None else number(cell) * factor

    if name in WHOLE_NUMBERS:
        return lambda cell: as_integer(scaled(cell), rounded=factor is not None)
    return lambda cell: float(scaled(cell))


def _lookup(spec: Value, key: str) -> Convert:
    words, default = {word.strip(): meaning for word, meaning in (spec.lookup or {}).items()}, spec.default

    def look_up(cell: Any) -> Any:
        found = words.get(text(cell), default)
        if found is None:
            near = get_close_matches(text(cell), words, n=1)
            hint = f" (like {near[0]!r})" if near else ""
            raise UnfitError("lookup", f"{shown(cell)} is not in {key}.lookup: add it there{hint}, or a default")
        return found

    return look_up
