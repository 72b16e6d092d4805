"""SIGKILL of busy workers in turn, while the same files are sent three times: nothing can be seen of either."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.landed import marks_of
from pipeline.topics import epochs
from sinks.clickhouse import connect
from tests.fault.faults import kill
from tests.fault.picture import Picture, assert_undisturbed
from tests.fault.sending import loaded, supervised
from tests.group import applied, pause_behind
from tests.traffic import Traffic

pytestmark = pytest.mark.fault

KILLS, TIMES, BUSY = 4, 3, 500


async def test_killed_workers_lose_nothing_and_files_sent_three_times_count_once(
    company: Traffic, undisturbed: Picture, tmp_path: Path
) -> None:
    data = tmp_path / "stack"
    async with supervised(data) as installation:
        to = installation.endpoints
        async with (
            await connect(to.clickhouse_url, to.clickhouse_user, to.clickhouse_password) as client,
            loaded(data, to.extra, company, times=TIMES) as load,
        ):
            landed = marks_of(client, await epochs(to.kafka_url), ["touchpoints"])
            for _ in range(KILLS):
                for role, done in (("customers", applied(to.kafka_url)), ("landing", landed)):
                    await pause_behind(to.kafka_url, done, BUSY, installation.role(role))
                    await kill(installation, role)
        assert load.failed == []
        assert len(load.backfills) >= TIMES * len(company.files)
        assert load.landed == sum(map(len, company.files))
        await assert_undisturbed(data, company, undisturbed)
