"""Conditions of a mapping as functions of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.tables.cells import text
from pipeline.tables.columns import Columns, Row
from pipeline.tables.numbers import ToNumber
from pipeline.tables.spec import Condition, Scalar

Test = Callable[[Row], bool]
CellTest = Callable[[Any], bool]


def any_of(conditions: Sequence[Condition], key: str, columns: Columns, number: ToNumber) -> Test:
    """Return whether a row meets one of the conditions; that raises UnfitError for a cell that should be a number."""
    tests = [_test(condition, f"{key}.{index}", columns, number) for index, condition in enumerate(conditions)]
    if len(tests) == 1:
        return tests[0]
    return lambda row: any(test(row) for test in tests)


def _test(condition: Condition, key: str, columns: Columns, number: ToNumber) -> Test:
    cell = columns.cell(condition.column, f"{key}.column")
    tests = list(_cell_tests(condition, number))
    wanted = not condition.negated
    return lambda row: all(test(cell(row)) for test in tests) is wanted


def _cell_tests(condition: Condition, number: ToNumber) -> list[CellTest]:
    """An empty cell meets only `empty = true` and the empty text, and whatever is negated."""
    found: list[CellTest] = []
    if condition.empty is not None:
        wanted = condition.empty
        found.append(lambda cell: (cell is None) is wanted)
    if condition.equals is not None:
        found.append(_equal(condition.equals, number))
    if condition.one_of is not None:
        options = [_equal(each, number) for each in condition.one_of]
        found.append(lambda cell: any(option(cell) for option in options))
    if (start := condition.starts_with) is not None:
        found.append(lambda cell: cell is not None and text(cell).startswith(start))
    if condition.matches is not None:
        fits = re.compile(condition.matches).fullmatch
        found.append(lambda cell: cell is not None and fits(text(cell)) is not None)
    if (below := condition.below) is not None:
        found.append(lambda cell: cell is not None and number(cell) < below)
    if (above := condition.above) is not None:
        found.append(lambda cell: cell is not None and number(cell) > above)
    return found


def _equal(wanted: Scalar, number: ToNumber) -> CellTest:
    if isinstance(wanted, str):
        words = wanted.strip()
        return lambda cell: text(cell) == words if cell is not None else not words
    return lambda cell: cell is not None and float(number(cell)) == wanted
