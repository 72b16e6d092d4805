"""CSV that a spreadsheet shows and never runs: cells that would be formulas are made text.

A cell that begins with = + - @ (their full-width forms too), a tab or a line break is a formula to Excel, LibreOffice
or Google Sheets, whoever wrote it: a customer id is enough. An apostrophe in front makes it text; numbers stay numbers.
Source: OWASP, CSV Injection.
"""

from __future__ import annotations

import re
from typing import Any

_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def neutral(cell: Any) -> Any:
    """The cell, or, for a text that a spreadsheet would take for a formula, the text behind an apostrophe.

    What is not a text is returned as it is, and so is a text that is a plain number.
    """
    if not isinstance(cell, str) or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell):
        return cell
    return "'" + cell


def neutral_csv(content: bytes) -> bytes:
    """The same for a whole CSV as ClickHouse writes it, where every text is in quotes and no number is.

    Bytes that are not UTF-8 stay what they are.
    """
    text = content.decode("utf-8", "surrogateescape")
    return _QUOTED.sub(lambda quoted: f'"{neutral(quoted[1])}"', text).encode("utf-8", "surrogateescape")
