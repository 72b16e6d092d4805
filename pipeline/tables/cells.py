"""Cells as files hold them, and what they are as text: whatever CSV, JSON or Parquet calls them."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pipeline.validation import original_of

_SHOWN = 60


class UnfitError(ValueError):
    """A cell cannot be what its field needs; `code` goes into the refusal of its row."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def present(cell: Any) -> Any:
    """The cell, text without its outer spaces; None for an empty one and for NaN, which tables write for nothing."""
    if isinstance(cell, str):
        return cell.strip() or None
    nothing = math.isnan(cell) if isinstance(cell, float) else isinstance(cell, Decimal) and cell.is_nan()
    return None if nothing else cell


def text(cell: Any) -> str:
    """A present cell in words: whole numbers without a point (tables turn ids with gaps into 17850.0)."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    return str(cell) if isinstance(cell, (int, UUID)) else original_of(cell).decode()


def shown(cell: Any) -> str:
    """A cell as messages show it: short, and quoted."""
    words = text(cell)
    return repr(words if len(words) <= _SHOWN else words[:_SHOWN] + "...")
