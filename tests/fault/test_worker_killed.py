"""SIGKILL of the workers in turn, while the same files are sent three times: nothing can be seen of either."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.fault.faults import kill
from tests.fault.load import loaded, supervised
from tests.fault.picture import Picture, assert_undisturbed
from tests.traffic import Traffic

pytestmark = pytest.mark.fault

KILLS, TIMES = 3, 3


async def test_killed_workers_lose_nothing_and_files_sent_three_times_count_once(
    company: Traffic, undisturbed: Picture, tmp_path: Path
) -> None:
    rng = random.Random(5)
    data = tmp_path / "stack"
    async with supervised(data) as installation:
        async with loaded(data, installation.endpoints.extra, company, times=TIMES) as load:
            for role in KILLS * ("customers", "landing"):
                await asyncio.sleep(rng.uniform(0.3, 3.0))
                await kill(installation, role)
        assert load.failed == []
        assert len(load.backfills) >= TIMES * len(company.files)
        assert load.landed == sum(map(len, company.files))
        await assert_undisturbed(data, company, undisturbed)
