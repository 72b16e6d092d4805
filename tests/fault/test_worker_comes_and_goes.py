"""More than one customers worker: joining, leaving, and one that was only paused and thinks it still owns its part."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.fault.faults import second_worker
from tests.fault.picture import Picture, assert_undisturbed
from tests.fault.sending import loaded, supervised
from tests.group import applied, pause_behind, until_behind, until_members
from tests.traffic import Traffic

pytestmark = pytest.mark.fault

IN_THE_MIDST = 500


async def test_a_second_worker_joins_and_leaves_under_load(
    company: Traffic, undisturbed: Picture, tmp_path: Path
) -> None:
    data = tmp_path / "stack"
    async with supervised(data, chunk_records=500) as installation:
        kafka = installation.endpoints.kafka_url
        async with loaded(data, installation.endpoints.extra, company) as load:
            async with second_worker(installation, tmp_path):
                await until_members(kafka, 2)
                await until_behind(kafka, IN_THE_MIDST)
            async with second_worker(installation, tmp_path) as second:
                await until_behind(kafka, IN_THE_MIDST)
                second.signal(signal.SIGKILL)
            await until_members(kafka, 1)
        assert load.failed == []
        await assert_undisturbed(data, company, undisturbed)


async def test_a_paused_owner_is_fenced(company: Traffic, undisturbed: Picture, tmp_path: Path) -> None:
    data = tmp_path / "stack"
    async with supervised(data) as installation:
        kafka = installation.endpoints.kafka_url
        async with loaded(data, installation.endpoints.extra, company) as load:
            first = installation.role("customers")
            await pause_behind(kafka, applied(kafka), IN_THE_MIDST, first)
            async with second_worker(installation, tmp_path):
                await until_members(kafka, 1)
                await until_behind(kafka, IN_THE_MIDST)
                first.signal(signal.SIGCONT)
                await until_members(kafka, 2)
        assert load.failed == []
        await assert_undisturbed(data, company, undisturbed)


async def test_sigterm_under_load_ends_within_ten_seconds_and_loses_nothing(
    company: Traffic, undisturbed: Picture, tmp_path: Path
) -> None:
    data = tmp_path / "stack"
    async with supervised(data) as installation:
        async with loaded(data, installation.endpoints.extra, company) as load:
            await until_behind(installation.endpoints.kafka_url, IN_THE_MIDST)
            workers = [installation.role(role) for role in ("customers", "landing")]
            for worker in workers:
                worker.signal(signal.SIGTERM)
            for worker in workers:
                assert await worker.wait(10) == 0
        assert load.failed == []
        await assert_undisturbed(data, company, undisturbed)
