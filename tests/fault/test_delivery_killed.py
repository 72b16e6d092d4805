"""The delivery worker killed twenty times while it delivers to a receiver that fails at random: nothing is missing."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import connect
from tests.integration.test_alerts import complaint, send
from tests.receiver import Receiver, plan_file, receiving

pytestmark = pytest.mark.fault

KILLS, CUSTOMERS, PER_KILL = 20, 400, 20


async def test_every_alert_arrives_under_one_id_however_often_the_worker_is_killed(tmp_path: Path) -> None:
    rng = random.Random(5)
    async with receiving(failing=0.3) as receiver:
        plan = tmp_path / "alerts.toml"
        plan.write_text(plan_file(shaky=receiver.url))
        settings = Settings(
            collector_port=0, collector_private_port=0, session_timeout_seconds=6.0, alerts=plan
        )  # fmt: skip
        async with Installation(settings, tmp_path / "stack", on_event=lambda _: None) as installation:
            for turn in range(KILLS):
                first = turn * PER_KILL
                for number in range(first, first + PER_KILL):
                    await send(installation, *(complaint(f"c-{number}", 100 - minute) for minute in range(6)))
                delivered = len(receiver.processed)
                await until_more(receiver, delivered)
                await asyncio.sleep(rng.uniform(0, 0.3))
                role = "alerts" if turn % 5 == 4 else "delivery"
                installation.role(role).signal(signal.SIGKILL)
                await installation.role(role).wait()
                await installation.relaunch(role)
            raised = await until_delivered(installation, 2 * CUSTOMERS)
        assert receiver.wrong == []
        assert set(receiver.processed) == raised
        assert {body["data"]["alert_id"] for body in receiver.processed.values()} == raised


async def until_more(receiver: Receiver, before: int) -> None:
    """Wait until the receiver has processed more than before, so that the kill comes while others are on their way."""
    async with asyncio.timeout(60):
        while len(receiver.processed) <= before:
            await asyncio.sleep(0.02)


async def until_delivered(installation: Installation, wanted: int) -> set[str]:
    """The ids of all alerts, once so many are delivered according to the log."""
    known = installation.endpoints
    count = "SELECT countDistinct(alert_id) FROM alerts WHERE status = 'delivered'"
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        async with asyncio.timeout(240):
            while (await client.query(count))[0][0] < wanted:
                await asyncio.sleep(0.3)
        return {str(row[0]) for row in await client.query("SELECT alert_id FROM alerts WHERE status = 'raised'")}
