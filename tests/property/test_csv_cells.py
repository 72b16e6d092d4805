"""CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.csv_cells import neutral, neutral_csv

STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
TEXTS = st.text() | st.builds(str.__add__, st.sampled_from(STARTS), st.text())


@given(TEXTS)
def test_no_text_begins_a_formula_unless_it_is_a_number(text: str) -> None:
    written = neutral(text)
    if written[:1] and written[0] in STARTS:
        assert float(written) == float(text)


@given(TEXTS)
def test_only_an_apostrophe_is_ever_added(text: str) -> None:
    assert neutral(text) in {text, "'" + text}
    if not text or text[0] not in STARTS:
        assert neutral(text) == text


@given(st.integers() | st.floats() | st.none() | st.booleans())
def test_what_is_not_a_text_stays(value: Any) -> None:
    assert neutral(value) is value


@pytest.mark.parametrize("number", ["-3.5", "+4912345", "-1e-9", "-.5", "7"])
def test_a_number_in_a_text_stays_a_number(number: str) -> None:
    assert neutral(number) == number


@pytest.mark.parametrize(
    "formula", ['=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "-٣", "-1\n=2"]
)
def test_formulas_become_texts(formula: str) -> None:
    assert neutral(formula) == "'" + formula


def as_clickhouse(row: list[str | int]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' if isinstance(cell, str) else str(cell) for cell in row)


@given(st.lists(st.lists(TEXTS.filter(lambda text: "\0" not in text) | st.integers(), min_size=1), max_size=4))
@example([['="a","=b"', -1]])
def test_a_csv_of_clickhouse_keeps_its_cells(rows: list[list[str | int]]) -> None:
    before = "".join(as_clickhouse(row) + "\n" for row in rows)
    after = neutral_csv(before.encode("utf-8")).decode("utf-8")
    found = list(csv.reader(StringIO(after, newline="")))
    assert found == [[str(neutral(cell)) for cell in row] for row in rows]


def test_bytes_that_are_no_text_stay() -> None:
    assert neutral_csv(b'"=\xff",-2\n') == b'"\'=\xff",-2\n'
