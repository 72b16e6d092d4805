"""Everything is killed, again and again, at random moments under load; in the end nothing can be seen of it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from tests.fault.faults import kill
from tests.fault.picture import Picture, assert_undisturbed
from tests.fault.sending import loaded, supervised
from tests.traffic import Traffic

pytestmark = pytest.mark.fault

KILLS = {"customers": 8, "landing": 7, "collector": 3, "kafka": 3, "clickhouse": 3}
SEED = int(os.environ.get("TOUCHLINE_TEST_SEED", "17"))


async def test_two_dozen_random_kills_cost_nothing(company: Traffic, undisturbed: Picture, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    victims = [name for name, times in KILLS.items() for _ in range(times)]
    rng.shuffle(victims)
    print(f"TOUCHLINE_TEST_SEED={SEED}")
    data = tmp_path / "stack"
    async with supervised(data) as installation:
        async with loaded(data, installation.endpoints.extra, company):
            started = time.monotonic()
            for name in victims:
                await asyncio.sleep(rng.uniform(0.3, 3.5))
                await kill(installation, name)
                print(f"{time.monotonic() - started:6.1f} s  killed {name}")
        await assert_undisturbed(data, company, undisturbed)
