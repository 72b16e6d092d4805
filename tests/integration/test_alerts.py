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


async def order(installation: Installation, path: str, body: object, key: str | None = None) -> httpx.Response:
    extra = installation.endpoints.extra
    headers = {"Authorization": f"Bearer {key or extra['read_key']}"}
    async with httpx.AsyncClient(headers=headers) as http:
        return await http.post(extra["private_url"] + path, json=body)


async def until_state(client: Client, customer: str, status: str) -> tuple[str, str | None]:
    """The id of the customer's newest alert, and who took it on, once it has this status."""
    query = (
        "SELECT alert_id, acknowledged_by FROM alert_states WHERE customer_id = {customer:String} "
        "AND status = {status:String} AND level = 'critical' ORDER BY raised_at DESC, score DESC LIMIT 1"
    )
    async with asyncio.timeout(30):
        while not (rows := await client.query(query, {"customer": customer, "status": status})):
            await asyncio.sleep(0.1)
    return str(rows[0][0]), rows[0][1]


async def test_an_alert_is_taken_on_over_http_and_by_command(installation: Installation, client: Client) -> None:
    data = str(installation.endpoints.data)
    await send(installation, *(complaint(name, 100 - number) for name in ("fay", "gus") for number in range(8)))
    alert_id, nobody = await until_state(client, "fay", "open")
    assert nobody is None
    answer = await order(installation, f"/v1/alerts/{alert_id}/ack", {"customer_id": "fay", "by": "Lee"})
    assert (answer.status_code, answer.json()["about"]) == (200, alert_id)
    assert await until_state(client, "fay", "acknowledged") == (alert_id, "Lee")
    other, _ = await until_state(client, "gus", "open")
    done = await touchline("alerts", "ack", other, "--by", "Kim", "--data", data)
    assert done.status == 0, done.errors
    assert await until_state(client, "gus", "acknowledged") == (other, "Kim")
    listed = await touchline(
        "alerts", "list", "--customer", "gus", "--status", "acknowledged", "--json", "--data", data
    )
    [one] = listed.json()
    assert (one["alert_id"], one["acknowledged_by"], one["level"]) == (other, "Kim", "critical")
    shown = await touchline("alerts", "list", "--data", data)
    assert "followed" in shown.output
    unknown = await touchline("alerts", "ack", "0b9f8d1e-58a4-5c1e-9a0f-2f4f9b0c7d11", "--data", data)
    assert (unknown.status, "there is no alert" in unknown.errors) == (2, True)


async def test_nothing_is_raised_for_who_is_snoozed(installation: Installation, client: Client) -> None:
    answer = await order(installation, "/v1/customers/hal/snooze", {"for": "2d", "by": "Lee"})
    assert (answer.status_code, answer.json()["customer_id"]) == (200, "hal")
    done = await touchline("alerts", "snooze", "ida/x", "--for", "7d", "--data", str(installation.endpoints.data))
    assert done.status == 0, done.errors
    await until_told(client, "hal", [("snoozed", "")])
    await until_told(client, "ida/x", [("snoozed", "")])
    names = ("hal", "ida/x", "joe")
    await send(installation, *(complaint(name, 100 - number) for name in names for number in range(8)))
    await until_told(client, "joe", AT_RISK)
    await until_risk(client, {"hal", "ida/x"})
    assert await told(client, "hal") == await told(client, "ida/x") == [("snoozed", "")]


async def until_risk(client: Client, customers: set[str]) -> None:
    async with asyncio.timeout(30):
        while not customers <= {str(row[0]) for row in await client.query("SELECT customer_id FROM customers_at_risk")}:
            await asyncio.sleep(0.1)


async def test_wrong_orders_are_refused_with_what_to_mend(installation: Installation) -> None:
    ack, snooze = "/v1/alerts/0b9f8d1e-58a4-5c1e-9a0f-2f4f9b0c7d11/ack", "/v1/customers/ann/snooze"
    for path, body, key, status, code in (
        (ack, {"customer_id": "ann"}, "wk_wrong", 401, "key_unknown"),
        (ack, {}, None, 422, "customer_id"),
        (ack, [], None, 422, "body"),
        ("/v1/alerts/5/ack", {"customer_id": "ann"}, None, 422, "alert_id"),
        (snooze, {"for": "forever"}, None, 422, "for"),
        (snooze, {"for": "7d", "why": "x"}, None, 422, "why"),
    ):
        answer = await order(installation, path, body, key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_worker_killed_in_between_says_nothing_twice(installation: Installation, client: Client) -> None:
    await send(installation, *(complaint("dee", 100 - number) for number in range(8)))
    await until_told(client, "dee", AT_RISK)
    installation.role("alerts").kill()
    await send(installation, *(complaint("dee", 50 - number) for number in range(8)))
    await installation.relaunch("alerts")
    await send(installation, *(complaint("eve", 100 - number) for number in range(8)))
    await until_told(client, "eve", AT_RISK)
    assert await told(client, "dee") == AT_RISK
