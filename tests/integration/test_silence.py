"""A customer who says nothing more: the change of risk comes by itself, at its moment, and tells people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pipeline.customer import Rules, touch_of
from pipeline.local.installation import Installation
from pipeline.model import Rejected
from pipeline.outlook import next_change
from pipeline.risk import standing
from pipeline.scoring import profile_of
from pipeline.settings import Settings
from pipeline.validation import validate
from sinks.clickhouse import Client, connect
from tests.receiver import plan_file, receiving
from tests.reference import DAY, HOUR

RULES = Rules.of(Settings())
SECOND = 1000
VISITS = 5
TOLD = "SELECT status, level, toUnixTimestamp64Milli(raised_at) FROM alerts WHERE status = 'raised'"


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("stack")
    plan = folder / "alerts.toml"
    async with receiving() as receiver:
        plan.write_text(f"[policy]\nabsence_hours = 0\n{plan_file(crm=receiver.url)}")
        settings = Settings(collector_port=0, collector_private_port=0, quiet_seconds=1, alerts=plan)
        async with Installation(settings, folder / "data") as running:
            yield running


@pytest.fixture(scope="module")
async def client(installation: Installation) -> AsyncIterator[Client]:
    known = installation.endpoints
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        yield client


def visits(last: int) -> list[dict[str, Any]]:
    """What somebody did who came now and then until `last` (UTC milliseconds): silence grows on them by the second.

    Who comes often is at high on the day on which a visit is missing, whatever the hour.
    """
    return [
        {
            "customer_id": "ann",
            "occurred_at": datetime.fromtimestamp((last - day * DAY) / 1000, UTC).isoformat(timespec="milliseconds"),
            "channel": "web",
            "touchpoint": "page_view",
        }
        for day in range(0, 20 * VISITS, 20)
    ]


def comes_to_high(last: int) -> int:
    """The moment at which silence after those visits has brought the risk to high."""
    records = [validate(event, last + DAY, "http") for event in visits(last)]
    touches = [touch_of(place, record) for place, record in enumerate(records) if not isinstance(record, Rejected)]
    profile = profile_of(sorted((touch.step, touch.record) for touch in touches), RULES)
    moment = last
    while (change := next_change(profile, moment, RULES.model)) is not None and change.level != "high":
        moment = change.moment
    assert change is not None
    assert standing(profile, change.moment, RULES.model)[1] == "high"
    return change.moment


def last_visit(now: int) -> int:
    """When they must have come last for that moment to be near."""
    last = now
    for _ in range(20):
        wait = comes_to_high(last) - now
        if 10 * SECOND < wait < 40 * SECOND:
            return last
        last += 25 * SECOND - wait
    raise AssertionError("no such moment was found")


async def rows(client: Client, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await client.query(query)]


async def test_silence_alone_raises_an_alert(installation: Installation, client: Client) -> None:
    now = time.time_ns() // 1_000_000
    last = last_visit(now)
    assert last < now - HOUR
    extra = installation.endpoints.extra
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {extra['write_key']}"}) as http:
        answer = await http.post(extra["collector_url"] + "/v1/touchpoints", json=visits(last))
    assert answer.json()["accepted"] == VISITS, answer.text
    async with asyncio.timeout(90):
        while not (told := await rows(client, TOLD)):
            await asyncio.sleep(0.2)
    [(status, level, moment)] = told
    assert (status, level) == ("raised", "high")
    assert now < moment < now + 60 * SECOND
    async with asyncio.timeout(30):
        while (known := await rows(client, "SELECT level, scored_at, touchpoints FROM customers"))[0][0] != "high":
            await asyncio.sleep(0.2)
    changes = await rows(client, "SELECT previous_level, level, as_of FROM risk ORDER BY revision")
    assert changes[-1] == ("medium", "high", known[0][1])
    assert known[0][2] == VISITS
