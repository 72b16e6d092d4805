"""From touchpoints to alerts in a whole installation: raised once, escalated, over, and never for imported history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import Client, connect
from tests.command import touchline

AT_RISK = [("raised", "high"), ("raised", "critical")]
"""What is said of somebody who complains again and again."""


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("stack")
    async with Installation(Settings(collector_port=0, collector_private_port=0), folder) as running:
        yield running


@pytest.fixture(scope="module")
async def client(installation: Installation) -> AsyncIterator[Client]:
    known = installation.endpoints
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        yield client


def complaint(customer: str, minutes_ago: int) -> dict[str, Any]:
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return {
        "customer_id": customer,
        "occurred_at": moment.isoformat(),
        "channel": "phone",
        "touchpoint": "complaint",
        "outcome": "unresolved",
        "sentiment": -0.9,
    }


async def send(installation: Installation, *events: dict[str, Any]) -> None:
    extra = installation.endpoints.extra
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {extra['write_key']}"}) as http:
        answer = await http.post(extra["collector_url"] + "/v1/touchpoints", json=list(events))
    assert answer.json()["accepted"] == len(events), answer.text


async def told(client: Client, customer: str) -> list[tuple[str, str]]:
    rows = await client.query(
        "SELECT status, level FROM alerts WHERE customer_id = {customer:String} ORDER BY attempted_at, score",
        {"customer": customer},
    )
    return [(status, level) for status, level in rows]


async def until_told(client: Client, customer: str, wanted: list[tuple[str, str]]) -> None:
    found: list[tuple[str, str]] = []
    try:
        async with asyncio.timeout(30):
            while (found := await told(client, customer)) != wanted:
                await asyncio.sleep(0.1)
    except TimeoutError:
        assert found == wanted


async def test_an_alert_is_raised_escalates_and_is_over_once(installation: Installation, client: Client) -> None:
    await send(installation, *(complaint("ann", 200 - number) for number in range(6)))
    await until_told(client, "ann", AT_RISK)
    goodbye = {"customer_id": "ann", "occurred_at": datetime.now(UTC).isoformat(), "channel": "subscription"}
    await send(installation, {**goodbye, "touchpoint": "cancelled"})
    await until_told(client, "ann", [*AT_RISK, ("over", "gone")])


async def test_imported_history_raises_nothing(installation: Installation, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text("".join(json.dumps(complaint("ben", 500 - number)) + "\n" for number in range(8)))
    answer = await touchline("backfill", str(file), "--data", str(installation.endpoints.data))
    assert answer.status == 0, answer.errors
    await send(installation, *(complaint("cy", 100 - number) for number in range(8)))
    await until_told(client, "cy", AT_RISK)
    assert await told(client, "ben") == []


async def test_a_worker_killed_in_between_says_nothing_twice(installation: Installation, client: Client) -> None:
    await send(installation, *(complaint("dee", 100 - number) for number in range(8)))
    await until_told(client, "dee", AT_RISK)
    installation.role("alerts").kill()
    await send(installation, *(complaint("dee", 50 - number) for number in range(8)))
    await installation.relaunch("alerts")
    await send(installation, *(complaint("eve", 100 - number) for number in range(8)))
    await until_told(client, "eve", AT_RISK)
    assert await told(client, "dee") == AT_RISK
