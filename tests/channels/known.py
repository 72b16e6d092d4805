"""The shipped sources and their examples, for tests over all of them."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from pipeline.channels.compiled import Source
from pipeline.channels.fixture import Fixture, read_fixtures
from pipeline.channels.functions import Functions
from pipeline.channels.registry import load_sources

EXAMPLES = Path(__file__).parent.parent / "fixtures" / "channels"


@cache
def sources() -> dict[str, Source]:
    """Every shipped source, with an empty identity key."""
    return load_sources(Functions())


@cache
def examples(source: str) -> list[Fixture]:
    """Its examples."""
    return read_fixtures(EXAMPLES / source)


def all_examples() -> list[tuple[str, Fixture]]:
    """Every example with the name of its source."""
    return [(name, fixture) for name in sources() for fixture in examples(name)]


def now() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000
