"""Alerts on their way to real HTTP receivers, of which one fails at random and one is dead."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import connect
from tests.command import touchline
from tests.integration.test_alerts import complaint, send
from tests.receiver import Receiver, plan_file, receiving

CUSTOMERS = 40


@pytest.fixture(scope="module")
async def shaky() -> AsyncIterator[Receiver]:
    async with receiving(failing=0.4) as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def dead() -> AsyncIterator[Receiver]:
    async with receiving(status=503) as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def installation(
    tmp_path_factory: pytest.TempPathFactory, shaky: Receiver, dead: Receiver
) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("stack")
    async with receiving() as steady:
        plan = folder / "alerts.toml"
        plan.write_text(plan_file(shaky=shaky.url, steady=steady.url, dead=dead.url))
        settings = Settings(collector_port=0, collector_private_port=0, alerts=plan)
        async with Installation(settings, folder / "data") as running:
            yield running


async def rows(installation: Installation, query: str) -> list[tuple[object, ...]]:
    known = installation.endpoints
    async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
        return list(await client.query(query))


async def until_count(installation: Installation, query: str, wanted: int) -> None:
    found: object = None
    try:
        async with asyncio.timeout(90):
            while (found := (await rows(installation, query))[0][0]) != wanted:
                await asyncio.sleep(0.3)
    except TimeoutError:
        assert found == wanted


async def test_every_alert_reaches_everybody_under_one_id(installation: Installation, shaky: Receiver) -> None:
    for number in range(CUSTOMERS):
        await send(installation, *(complaint(f"c-{number}", 100 - minute) for minute in range(6)))
    await until_count(installation, "SELECT count() FROM alerts WHERE status = 'raised'", 2 * CUSTOMERS)
    await until_count(installation, "SELECT countDistinct(alert_id) FROM alerts WHERE status = 'delivered' "
                      "AND destination = 'steady'", 2 * CUSTOMERS)  # fmt: skip
    await until_count(
        installation,
        "SELECT countDistinct(alert_id) FROM alerts WHERE status = 'delivered' AND destination = 'shaky'",
        2 * CUSTOMERS,
    )
    raised = {str(row[0]) for row in await rows(installation, "SELECT alert_id FROM alerts WHERE status = 'raised'")}
    assert set(shaky.processed) == raised
    assert shaky.wrong == []
    assert max(shaky.asked.values()) > 1
    async with httpx.AsyncClient() as http:
        metrics = (await http.get(installation.endpoints.extra["health"]["delivery"] + "/metrics")).text
    labels = '{destination="shaky",kind="webhook",status="delivered"}'
    assert f"touchline_alert_attempts_total{labels} {2 * CUSTOMERS:.1f}" in metrics
    assert "touchline_alert_deliveries_open " in metrics
    failed = await rows(installation, "SELECT DISTINCT error FROM alerts WHERE status = 'failed'")
    assert failed
    assert all("127.0.0.1" not in str(error) and "token" not in str(error) for (error,) in failed)


async def test_what_is_given_up_is_a_dead_letter(installation: Installation) -> None:
    await until_count(installation, "SELECT count() FROM rejected WHERE code = 'undeliverable'", 2 * CUSTOMERS)
    [(path,)] = await rows(installation, "SELECT DISTINCT path FROM rejected WHERE code = 'undeliverable'")
    assert path == "destinations.dead"
    [(attempts,)] = await rows(installation, "SELECT max(attempt) FROM alerts WHERE status = 'given_up'")
    assert attempts > 1


async def test_after_a_restart_nothing_is_delivered_again(installation: Installation, shaky: Receiver) -> None:
    before = shaky.asked.total()
    await installation.relaunch("delivery")
    await send(installation, *(complaint("last", 100 - minute) for minute in range(6)))
    await until_count(
        installation,
        "SELECT countDistinct(alert_id) FROM alerts WHERE status = 'delivered' AND destination = 'shaky'",
        2 * CUSTOMERS + 2,
    )
    assert (
        sum(shaky.asked[key] for key in shaky.processed if shaky.processed[key]["data"]["customer_id"] != "last")
        == before
    )


async def test_what_was_given_up_is_delivered_after_a_replay(installation: Installation, dead: Receiver) -> None:
    await until_count(installation, "SELECT count() FROM rejected WHERE code = 'undeliverable'", 2 * CUSTOMERS + 2)
    dead.status = 200
    data = str(installation.endpoints.data)
    answer = await touchline("rejected", "replay", "--code", "undeliverable", "--json", "--data", data)
    assert (answer.status, answer.json()["sent"]) == (0, 2 * CUSTOMERS + 2), answer.errors
    raised = {str(row[0]) for row in await rows(installation, "SELECT alert_id FROM alerts WHERE status = 'raised'")}
    async with asyncio.timeout(60):
        while set(dead.processed) != raised:
            await asyncio.sleep(0.1)
    again = await touchline("rejected", "replay", "--code", "undeliverable", "--json", "--data", data)
    assert again.json()["selected"] == 0


async def test_alerts_flow_while_clickhouse_stands_still(installation: Installation, shaky: Receiver) -> None:
    clickhouse = installation.stack.child("clickhouse")
    clickhouse.signal(signal.SIGSTOP)
    try:
        await send(installation, *(complaint("meanwhile", 100 - minute) for minute in range(6)))
        async with asyncio.timeout(30):
            while "meanwhile" not in {body["data"]["customer_id"] for body in shaky.processed.values()}:
                await asyncio.sleep(0.05)
    finally:
        clickhouse.signal(signal.SIGCONT)
    landed = "SELECT count() FROM alerts WHERE customer_id = 'meanwhile' AND status = 'raised'"
    await until_count(installation, landed, 2)


async def test_a_destination_is_tried_by_command(tmp_path: Path) -> None:
    plan = tmp_path / "alerts.toml"
    async with receiving() as good, receiving(status=403) as bad:
        plan.write_text(plan_file(good=good.url, bad=bad.url))
        answer = await touchline("alerts", "test", "good", TOUCHLINE_ALERTS=str(plan))
        assert (answer.status, answer.errors) == (0, "good took it\n")
        [body] = good.processed.values()
        assert body["data"]["customer_id"] == "test"
        refused = await touchline("alerts", "test", "bad", TOUCHLINE_ALERTS=str(plan))
        assert (refused.status, refused.errors) == (1, "touchline: bad: HTTP 403\n")
    unknown = await touchline("alerts", "test", "nobody", TOUCHLINE_ALERTS=str(plan))
    assert (unknown.status, "there is no destination nobody; known: bad, good" in unknown.errors) == (2, True)
    plan.write_text(plan_file(good="gopher://hidden"))
    wrong = await touchline("worker", "alerts", TOUCHLINE_ALERTS=str(plan), TOUCHLINE_KAFKA_URL="127.0.0.1:1")
    assert (wrong.status, "destinations.good.url" in wrong.errors, "hidden" in wrong.errors) == (2, True, False)
