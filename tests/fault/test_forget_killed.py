"""Workers, and the command itself, are killed while people are forgotten: done again, it comes to the same end."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from pipeline.forget import forget
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import Client
from tests.command import start
from tests.fault.installed import clickhouse
from tests.integration.forget_world import (
    audited,
    event,
    in_clickhouse,
    in_compacted_topics,
    in_logs,
    life,
    rows_of,
    send,
    settled,
    wanted,
)

pytestmark = [pytest.mark.fault, pytest.mark.timeout(480)]

GONE = [f"gone-{number:03d}" for number in range(4)]
STAYS = "stays-001"
VICTIMS = ("customers", "the command", "landing", "alerts")
NEEDLES = tuple(name.encode() for name in GONE)


async def until_under_way(client: Client) -> None:
    """Wait until ClickHouse has been told whom to forget: the command is in the midst of it then."""
    async with asyncio.timeout(60):
        while await client.query("SELECT count() FROM forget_requests") == [(0,)]:
            await asyncio.sleep(0.01)


async def test_kills_while_people_are_forgotten_change_nothing(tmp_path: Path) -> None:
    data, rng = tmp_path / "stack", random.Random(5)
    settings = Settings(collector_port=0, collector_private_port=0, session_timeout_seconds=6.0)
    async with (
        Installation(settings, data, on_event=lambda _: None) as installation,
        clickhouse(installation) as client,
    ):
        for customer in (*GONE, STAYS):
            await send(installation, *life(customer, f"device-of-{customer}"))
        await settled(installation, client)
        others = await rows_of(client, STAYS)
        assert set(await in_clickhouse(client, NEEDLES)) >= {"touchpoints_log", "journeys_log", "alerts_log"}
        for customer, victim in zip(GONE, VICTIMS, strict=True):
            forgetting = await start("forget", customer, "--refuse-later", "--yes", "--data", str(data))
            finished = asyncio.create_task(forgetting.communicate())
            traffic = asyncio.create_task(send(installation, event(customer, 1), event("passer-by", 1)))
            if victim == "the command":
                await until_under_way(client)
                forgetting.kill()
            else:
                await asyncio.wait({finished}, timeout=rng.uniform(0.5, 2.5))
                installation.role(victim).signal(signal.SIGKILL)
                await installation.role(victim).wait()
                await installation.relaunch(victim)
            await asyncio.gather(finished, traffic)
        for customer in GONE:
            person = wanted(installation, customer, refuse_later=True)
            assert (await forget(installation.endpoints.kafka_url, client, person)).ok
        await settled(installation, client)
        assert await in_clickhouse(client, NEEDLES) == {}
        assert await in_compacted_topics(installation, NEEDLES) == []
        assert in_logs(data, NEEDLES) == []
        assert await rows_of(client, STAYS) == others
        await audited(installation, client)
