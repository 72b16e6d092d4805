"""What deploy/compose.yaml runs, run: its commands with its settings, on real Kafka and the real engine.

On this machine's own; in containers of its images where TOUCHLINE_TEST_BROKER=docker finds an engine.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sinks.clickhouse import Client, connect
from tests.deploy.dashboards import clickhouse_queries
from tests.deploy.fleet import STARTED, TOUCHLINE, Fleet, fleet
from tests.deploy.servers import DOCKER, containers, local, why_no_docker

NOW = datetime.now(UTC)
PERSONAL = (
    "ada.lovelace@example.com",
    "+49 30 901820",
    "4242 4242 4242 4242",
    "C-hostile-1815",
    "Ada-Secret-Reference",
)
WAIT_SECONDS = 90.0

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module", params=["local", DOCKER])
async def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    if request.param == DOCKER and (why := why_no_docker()):
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("deployed")
    start = containers if request.param == DOCKER else local
    async with start(folder / "servers") as servers, fleet(servers, folder) as made:
        yield made


@pytest.fixture(scope="module")
async def clickhouse(running: Fleet) -> AsyncIterator[Client]:
    servers = running.servers
    async with await connect(servers.clickhouse_url, servers.user, servers.password) as client:
        yield client


def hostile() -> list[dict[str, object]]:
    """Events full of what no log may show: good ones, and such as are refused for what they hold."""
    email, phone, card, customer, reference = PERSONAL
    moments = [(NOW - timedelta(minutes=minutes)).isoformat() for minutes in range(6)]
    attributes = {"note": f"call {phone} or {email}", "card": card}
    good = [
        {"customer_id": customer, "occurred_at": at, "channel": "phone", "touchpoint": "complaint", "sentiment": -0.9,
         "outcome": "unresolved", "reference": reference, "attributes": attributes}
        for at in moments
    ]  # fmt: skip
    bad = [
        {"customer_id": customer, "occurred_at": email, "channel": "web", "touchpoint": "purchase"},
        {"customer_id": customer, "occurred_at": moments[0], "channel": email, "touchpoint": card},
        {"customer_id": [email], "occurred_at": moments[0], "channel": "web", "touchpoint": "purchase"},
    ]
    return [*good, *bad]


@pytest.fixture(scope="module")
async def sent(running: Fleet, clickhouse: Client) -> Fleet:
    """The fleet after all that was sent has landed."""
    key = running.variables["TOUCHLINE_WRITE_KEYS"]
    async with httpx.AsyncClient(base_url=running.url("collector"), timeout=30) as http:
        headers = {"Authorization": f"Bearer {key}"}
        answer = await http.post("/v1/touchpoints", json=hostile(), headers=headers)
        assert (answer.status_code, answer.json()["accepted"]) == (200, 6), answer.text
        assert (await http.post("/v1/touchpoints", json=[], headers={"Authorization": "Bearer no"})).status_code == 401
        assert (await http.post("/v1/touchpoints", content=PERSONAL[0], headers=headers)).status_code in {400, 415}
    counts = {"touchpoints": 6, "rejected": 3, "journeys": 1, "customers": 1}
    until = time.monotonic() + WAIT_SECONDS
    for view, wanted in counts.items():
        while (found := (await clickhouse.query(f"SELECT count() FROM {view}"))[0][0]) < wanted:
            assert time.monotonic() < until, (view, found)
            await asyncio.sleep(0.1)
        assert found == wanted, view
    return running


async def until_shown(running: Fleet, service: str, pattern: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not re.search(pattern, shown := await running.metrics(service), re.MULTILINE):
        assert time.monotonic() < until, shown
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("service", "pattern"),
    [
        ("collector", r'^touchline_events_accepted_total\{channel="phone"\} 6\.0$'),
        ("collector", r'^touchline_events_rejected_total\{channel="web",code="\w+"\} [12]\.0$'),
        ("collector", r'^touchline_events_rejected_total\{channel="unknown",code="unknown_channel"\} 1\.0$'),
        ("collector", r'^touchline_requests_refused_total\{reason="key_unknown"\} 1\.0$'),
        ("collector", r"^touchline_ack_seconds_count 1\.0$"),
        ("customers", r'^touchline_records_folded_total\{topic="touchpoints"\} 6\.0$'),
        ("customers", r'^touchline_records_sent_total\{topic="journeys"\} [1-9]'),
        ("customers", r'^touchline_latency_seconds_count\{topic="touchpoints"\} [1-9]'),
        ("customers", r'^touchline_states\{partition="\d"\} 1\.0$'),
        ("landing", r'^touchline_records_landed_total\{topic="touchpoints"\} 6\.0$'),
        ("landing", r'^touchline_records_landed_total\{topic="rejected"\} 3\.0$'),
        ("landing", r'^touchline_insert_seconds_count\{topic="touchpoints"\} [1-9]'),
        ("landing", r'^touchline_lag_records\{partition="0",topic="touchpoints"\} 0\.0$'),
        ("alerts", r'^touchline_records_decided_total\{topic="risk"\} [1-9]'),
        ("alerts", r"^touchline_ready 1\.0$"),
    ],
)
async def test_metrics_move(sent: Fleet, service: str, pattern: str) -> None:
    await until_shown(sent, service, pattern)


@pytest.mark.parametrize(("title", "sql"), clickhouse_queries())
async def test_every_query_of_a_dashboard_runs(sent: Fleet, clickhouse: Client, title: str, sql: str) -> None:
    rows = json.loads(await clickhouse.read_only(sql, "JSON"))
    assert rows["meta"], title


@pytest.mark.parametrize("service", STARTED)
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_health_check_says_that_a_role_is_well(sent: Fleet, service: str, path: str) -> None:
    probe = [str(TOUCHLINE.with_name("python")), "-m", "pipeline.probe", path]
    variable = "TOUCHLINE_COLLECTOR_PORT" if service == "collector" else "TOUCHLINE_WORKER_PORT"
    other = "TOUCHLINE_WORKER_PORT" if service == "collector" else "TOUCHLINE_COLLECTOR_PORT"
    ports = {variable: str(sent.ports[service]), other: "1"}
    assert subprocess.run(probe, env={**os.environ, **ports}, check=False).returncode == 0
    assert subprocess.run(probe, env={**os.environ, variable: "1", other: "1"}, check=False).returncode == 1


def asked(running: Fleet, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `touchline` as in the container of a role."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(running.folder), **running.path(), **variables}
    return subprocess.run(
        [str(TOUCHLINE), *command],
        env=environment,
        cwd=running.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_analyst_asks_within_a_container(sent: Fleet) -> None:
    done = asked(sent, "sql", "SELECT count() FROM touchpoints", "--format", "TSV", **sent.settings("landing"))
    assert (done.returncode, done.stdout.strip()) == (0, "6"), done.stderr
    done = asked(sent, "audit", "--json", **sent.settings("landing"))
    assert json.loads(done.stdout)["ok"], done.stdout + done.stderr


@pytest.mark.parametrize("service", STARTED)
def test_logs_are_one_object_a_line_and_hold_no_personal_data(sent: Fleet, service: str) -> None:
    text = sent.log(service)
    found = [json.loads(line) for line in text.splitlines()]
    assert all({"time", "level", "role", "logger", "event"} <= line.keys() for line in found if "time" in line)
    assert {line["role"] for line in found if "role" in line and "time" in line} <= {service}
    assert not [secret for secret in PERSONAL if secret.casefold() in text.casefold()]
    assert not [secret for secret in sent.settings(service).values() if len(secret) > 12 and secret in text
                and "://" not in secret and ":" not in secret and "/" not in secret]  # fmt: skip


def test_logs_say_where(sent: Fleet) -> None:
    committed = [json.loads(line) for line in sent.log("customers").splitlines() if '"committed"' in line]
    assert {line["topic"] for line in committed} == {"touchpoints"}
    assert max(line["next"] for line in committed) >= 1
    landed = [json.loads(line) for line in sent.log("landing").splitlines() if '"landed"' in line]
    assert sum(line["rows"] for line in landed if line["topic"] == "touchpoints") == 6
