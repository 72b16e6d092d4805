"""A large company, made inside the engine out of hashes: the .sql files beside this one, in their order."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from sinks import sql
from tests.bench.engine import Engine
from tests.bench.report import tell

COMPANY = {file.stem: file.read_text() for file in Path(__file__).parent.glob("*.sql")}
DAYS = 190
SLICES = 26
"""The log is written in so many parts, as landing would over half a year; merges join them as they do there."""


async def fill(engine: Engine, customers: int) -> None:
    """Fill the empty tables of a migrated database. The newest touchpoint is of this moment."""
    began, now = time.monotonic(), int(time.time() * 1000)
    await _run(engine, "1_staging")
    for first, until in _slices(customers, 10):
        await _run(engine, "2_staging_fill", now=now, first=first, count=until - first)
    start = now - DAYS * 86_400_000
    for first, until in _slices(now + 1 - start, SLICES):
        await _run(engine, "3_touchpoints", **{"from": start + first, "until": start + until})
    await _run(engine, "4_duplicates")
    names = [f"customer-{first:07d}" for first, _ in _slices(customers, 16)]
    edges = ["anon:", *(f"anon:device-{digit}" for digit in "48c"), *names, "d"]
    for name in ("5_journeys", "6_customers"):
        for first_key, until_key in pairwise(edges):
            await _run(engine, name, **{"from": first_key, "until": until_key})
    await engine.text("DROP DATABASE staging")
    tell("questions: company made", customers=customers, seconds=time.monotonic() - began)


async def _run(engine: Engine, name: str, **parameters: int | str) -> None:
    for statement in sql.statements(COMPANY[name]):
        await engine.text(statement, **parameters)


def _slices(size: int, number: int) -> list[tuple[int, int]]:
    edges = [size * i // number for i in range(number + 1)]
    return list(pairwise(edges))
