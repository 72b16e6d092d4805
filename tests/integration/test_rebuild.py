"""History taken in after going live, while traffic goes on; and taken out again as a whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.emitter import Emitter
from pipeline.local.installation import Installation
from pipeline.local.stack import running
from pipeline.settings import Settings
from sinks.clickhouse import connect
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans, write_csv
from tests.command import touchline
from tests.integration.sinks_samples import block, touchpoint, values
from tests.integration.test_backfill_journeys import seen

CUSTOMERS = 80


@pytest.fixture(scope="module")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("stack")
    async with Installation(Settings(collector_port=0, collector_private_port=0), folder) as running:
        yield running


@pytest.fixture(scope="module")
def data(installation: Installation) -> Path:
    return installation.endpoints.data


@pytest.fixture(scope="module")
def history() -> list[Click]:
    """A year and a half that ended half a year ago: all of it is late once the customers have been seen this week."""
    rows = clicks(CUSTOMERS, 4_000, seed=71, days=540)
    return [Click(row.customer_id, row.occurred_at - timedelta(days=180), row.touchpoint) for row in rows]


@pytest.fixture(scope="module")
def live() -> list[Click]:
    return clicks(CUSTOMERS, 900, seed=72, days=20)


async def ask(data: Path, query: str) -> list[list[Any]]:
    answer = await touchline("sql", query, "--format", "JSONCompactEachRow", "--data", str(data))
    assert answer.status == 0, answer.errors
    return [json.loads(line) for line in answer.output.splitlines()]


async def emit(installation: Installation, rows: list[Click]) -> None:
    extra = installation.endpoints.extra
    async with Emitter(extra["collector_url"], extra["write_key"]) as emitter:
        for number, row in enumerate(rows):
            await emitter.emit(
                channel="web", touchpoint=row.touchpoint, customer_id=row.customer_id, occurred_at=row.occurred_at
            )
            if number % 20 == 0:
                await asyncio.sleep(0.03)  # traffic that lasts as long as what goes on beside it
        await emitter.flush()
    assert emitter.stats.accepted == len(rows)


async def until_journeys_are(data: Path, rows: list[Click]) -> None:
    expected = spans(rows, JOURNEY_GAP)
    async with asyncio.timeout(60):
        while await seen(data, "journeys") != expected:
            await asyncio.sleep(0.3)
    assert await seen(data, "visits") == spans(rows, VISIT_GAP)


async def test_history_imported_after_going_live_becomes_part_of_the_journeys(
    installation: Installation, data: Path, history: list[Click], live: list[Click], tmp_path: Path
) -> None:
    before, during = live[:300], live[300:]
    now = datetime.now(UTC).replace(microsecond=0)
    before += [Click(f"user-{number:04d}", now - timedelta(hours=1), "search") for number in range(CUSTOMERS)]
    await emit(installation, before)
    await until_journeys_are(data, before)
    file = tmp_path / "history.csv"
    write_csv(file, history)
    traffic = asyncio.create_task(emit(installation, during))
    answer = await touchline("backfill", str(file), "--data", str(data), "--json")
    assert answer.status == 0, answer.errors
    facts = answer.json()
    assert (facts["accepted"], facts["duplicates"]) == (len(history), 0)
    assert facts["rebuilt"] == len({row.customer_id for row in history})
    await traffic
    everything = [*history, *before, *during]
    await until_journeys_are(data, everything)
    assert await ask(data, "SELECT count() FROM late_touchpoints") == [[0]]
    assert await ask(data, "SELECT sum(touchpoints) FROM customers") == [[len(everything)]]

    import_id = facts["import_id"]
    answer = await touchline("imports", "withdraw", import_id, "--data", str(data), "--json")
    assert answer.status == 0, answer.errors
    assert answer.json()["customers"] == facts["rebuilt"]
    await until_journeys_are(data, [*before, *during])
    assert await ask(data, "SELECT sum(touchpoints) FROM customers") == [[len(before) + len(during)]]
    [listed] = (await touchline("imports", "list", "--data", str(data), "--json")).json()
    assert (listed["import_id"], listed["touchpoints"]) == (import_id, len(history))
    assert listed["withdrawn_at"] is not None

    answer = await touchline("backfill", str(file), "--data", str(data), "--json")
    assert answer.status == 0, answer.errors
    assert answer.json()["duplicates"] == len(history)
    await until_journeys_are(data, everything)
    audit = await touchline("audit", "--deep", "--json", "--data", str(data))
    assert (audit.status, audit.json()["profiles"], audit.json()["notes"]) == (0, 0, []), audit.output


async def test_a_customer_only_the_import_knew_is_gone_with_it_and_back_with_it(data: Path, tmp_path: Path) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    rows = [Click("only-imported", moment + timedelta(days=day), "product_view") for day in range(3)]
    file = tmp_path / "one.csv"
    write_csv(file, rows)
    import_id = (await touchline("backfill", str(file), "--data", str(data), "--json")).json()["import_id"]
    query = "SELECT touchpoints FROM {} WHERE customer_id = 'only-imported'"
    assert await ask(data, query.format("customers")) == [[3]]
    assert (await touchline("imports", "withdraw", import_id, "--data", str(data))).status == 0
    for view in ("customers", "journeys", "visits"):
        assert await ask(data, query.format(view)) == []
    assert (await touchline("imports", "restore", import_id, "--data", str(data))).status == 0
    assert await ask(data, query.format("customers")) == [[3]]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("rebuild", "--customer", "nobody"), 2, "nobody"),
        (("rebuild",), 2, "--customer"),
        (("rebuild", "--late", "--all"), 2, "--customer"),
        (("imports", "withdraw", "nothing"), 2, "nothing"),
    ],
)
async def test_what_cannot_be_rebuilt_is_said_in_one_line(
    data: Path, words: tuple[str, ...], status: int, says: str
) -> None:
    answer = await touchline(*words, "--data", str(data))
    assert (answer.status, says in answer.errors) == (status, True), answer.errors
    assert len(answer.errors.splitlines()) == 1


async def test_a_rebuild_changes_nothing_where_nothing_was_late(data: Path) -> None:
    before = await ask(data, "SELECT * EXCEPT revision FROM journeys ORDER BY customer_id, journey_id")
    answer = await touchline("rebuild", "--all", "--data", str(data), "--json")
    assert answer.status == 0, answer.errors
    assert answer.json()["journeys"] == len(before)
    assert await ask(data, "SELECT * EXCEPT revision FROM journeys ORDER BY customer_id, journey_id") == before


async def test_the_audit_is_clean_while_traffic_goes_on(installation: Installation, data: Path) -> None:
    """The ends are fixed when it starts: what comes in meanwhile is neither waited for nor missed."""
    enough = asyncio.Event()
    traffic = asyncio.create_task(emit_until(enough, installation))
    for words in (("--json",), ("--json", "--deep"), ("--json", "--deep"), ("--json", "--deep")):
        audit = await touchline("audit", *words, "--data", str(data))
        assert (audit.status, audit.json()["notes"]) == (0, []), audit.output
        assert audit.json()["profiles"] == (0 if "--deep" in words else None)
    enough.set()
    assert await traffic > 100


async def test_the_audit_names_a_profile_that_lacks_a_touchpoint_and_a_rebuild_mends_it(data: Path) -> None:
    """The row is put under the agent: in an old epoch, before a rebuild that did not see it."""
    found = running(data)
    assert found is not None
    async with await connect(found.clickhouse_url, found.clickhouse_user, found.clickhouse_password) as client:
        unseen = touchpoint(1, customer_id="user-0007")
        await client.insert_avro("touchpoints_log", block("touchpoints", values("touchpoints", [unseen]), 1), "unseen")
    audit = (await touchline("audit", "--deep", "--json", "--data", str(data))).json()
    assert (audit["ok"], audit["profiles"]) == (False, 1), audit["notes"]
    assert any("user-0007" in note and "touchline rebuild --customer user-0007" in note for note in audit["notes"])
    assert (await touchline("rebuild", "--customer", "user-0007", "--data", str(data))).status == 0
    assert (await touchline("audit", "--deep", "--json", "--data", str(data))).json()["profiles"] == 0


async def emit_until(enough: asyncio.Event, installation: Installation) -> int:
    extra = installation.endpoints.extra
    async with Emitter(extra["collector_url"], extra["write_key"]) as emitter:
        while not enough.is_set():
            for number in range(20):
                now = datetime.now(UTC)
                await emitter.emit(channel="web", touchpoint="search", customer_id=f"live-{number}", occurred_at=now)
            await emitter.flush()
    return emitter.stats.accepted
