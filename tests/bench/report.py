"""What a bench prints: one JSON object a line."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from typing import Any


def tell(name: str, digits: int = 3, **figures: Any) -> None:
    """Print one line; floats are rounded, by default to what a noisy machine can mean."""
    rounded = {key: round(value, digits) if isinstance(value, float) else value for key, value in figures.items()}
    sys.stdout.write(json.dumps({"bench": name, **rounded}) + "\n")
    sys.stdout.flush()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)
