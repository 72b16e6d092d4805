"""A key that sends twice what it may: it is refused the rest, and nothing that was accepted is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.limits import RATE, measure

pytestmark = pytest.mark.fault

ROUNDS, SECONDS = 2, 8
MOST_GROWTH_MB = 30
MOST_TIMES, SLACK_MS = 10, 50


async def test_twice_the_limit_gets_429_within_bounds_and_loses_nothing(tmp_path: Path) -> None:
    found = await measure(tmp_path, rounds=ROUNDS, seconds=SECONDS)
    half, twice = found.p99_ms()
    growth = found.memory_peak_mb - found.memory_before_mb
    print(f"p99 {half:.1f} ms at half, {twice:.1f} ms at twice the limit; {growth:.1f} MB more; {found.twice}")
    assert [each["refused"] for each in found.half] == [0] * ROUNDS
    for each in found.twice:
        assert (each["other"], each["without_retry_after"]) == (0, 0)
        assert RATE * SECONDS * 0.9 <= each["events_accepted"] <= RATE * (SECONDS + 2) * 1.1
        assert each["refused"] > 0
    assert found.in_kafka == found.accepted
    assert growth < MOST_GROWTH_MB
    assert twice <= MOST_TIMES * half + SLACK_MS
