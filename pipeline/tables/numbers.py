"""Numbers as tables write them: with a decimal comma, with thousands set apart, in minor units."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pipeline.tables.cells import UnfitError, shown
from pipeline.tables.spec import File

ToNumber = Callable[[Any], Decimal]
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'"})


def number_reader(file: File) -> ToNumber:
    """Return what reads a present cell as an exact number; it raises UnfitError for what is none in this notation."""
    point, thousands = re.escape(file.decimal), re.escape(file.thousands or "")
    groups = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|" if thousands else ""
    pattern = re.compile(rf"[+-]?(?:(?:{groups}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII)
    apart = file.thousands

    def number(cell: Any) -> Decimal:
        if isinstance(cell, str):
            plain = cell.translate(_SPACES) if apart else cell
            if len(plain) > 100 or not pattern.fullmatch(plain):
                raise UnfitError("number", f"{shown(cell)} is no number with the decimal sign {file.decimal!r}")
            if apart:
                plain = plain.replace(apart, "")
            return Decimal(plain.replace(",", "."))
        if isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
            return Decimal(cell)
        if isinstance(cell, float):
            return Decimal(repr(cell))
        raise UnfitError("number", f"{shown(cell)} is no number")

    return number


def as_integer(number: Decimal, rounded: bool) -> int:
    """A whole number; what was scaled is rounded to the nearest one, anything else must be whole."""
    if not number.is_finite() or number.adjusted() > 30:
        raise UnfitError("number", f"{number} is out of range")
    if not rounded and number != number.to_integral_value():
        raise UnfitError("number", f"{number} is not a whole number of milliseconds: seconds need scale = 1000")
    return int(number.to_integral_value())
