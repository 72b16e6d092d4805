"""`touchline demo` and `touchline risk` as a user runs them: real HTTP, a real Kafka, the ClickHouse engine."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline import scoring
from pipeline.attach import Target, attach
from pipeline.customer import Rules
from pipeline.demo.post import Sender, batches
from pipeline.errors import ConfigurationError
from pipeline.local.stack import running
from pipeline.settings import Settings

SMALL = ("--customers", "150", "--touchpoints", "3000", "--json")
KEYS = [
    *("sent", "accepted", "rejected", "duplicates", "landed", "customers", "visits", "journeys", "at_risk", "alerts"),
    *("precision", "recall", "seconds", "data"),
]


def touchline(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.cli", *words]
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=False
    )


def demo(data: Path, **variables: str) -> dict[str, Any]:
    done = touchline("demo", *SMALL, "--data", str(data), **variables)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    assert list(result) == KEYS
    return result


def check(result: dict[str, Any], data: Path) -> None:
    assert result["sent"] == result["accepted"] + result["rejected"]
    assert result["accepted"] == result["landed"] + result["duplicates"]
    assert (result["customers"], result["data"]) == (150, str(data))
    assert 0 < result["alerts"] < 30
    assert result["rejected"] >= 15, "every mistake of careless senders is refused"
    assert result["duplicates"] > 0
    assert result["visits"] > result["journeys"] > result["customers"]
    assert 0 < result["at_risk"] < 150
    assert result["recall"] > 0
    assert running(data) is None, "nothing is left running"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data = tmp_path_factory.mktemp("demo") / "kafka"
    result = demo(data, TOUCHLINE_LOCAL_BROKER="kafka")
    check(result, data)
    return result


@pytest.fixture(scope="module")
async def target(played: dict[str, Any]) -> AsyncIterator[Target]:
    async with attach(Settings(), Path(played["data"])) as target:
        yield target


async def test_the_demo_adds_up_and_its_folder_goes_on(played: dict[str, Any], target: Target) -> None:
    async with await target.clickhouse() as client:
        counts = ("touchpoints", "rejected", "visits", "journeys")
        found = [(await client.query(f"SELECT count() FROM {view}"))[0][0] for view in counts]
    assert found == [played["landed"], played["rejected"], played["visits"], played["journeys"]]


async def test_both_ways_of_scoring_agree_page_by_page(target: Target) -> None:
    rules, now = Rules.of(Settings()), int(time.time() * 1000)
    async with await target.clickhouse() as client:
        stored = await scoring.highest(scoring.stored(client, now, rules.model, rows=50))
        made = await scoring.highest(scoring.at(client, now, rules, rows=500))
        assert await scoring.highest(scoring.at(client, now, rules, rows=3000), limit=7) == made[:7]
        assert await scoring.highest(scoring.at(client, 0, rules)) == []
    assert len(stored) > 150
    assert stored == made


async def test_risk_now_and_two_months_ago(target: Target) -> None:
    data = str(target.data)
    now = json.loads((await asyncio.to_thread(touchline, "risk", "--data", data, "--format", "json")).stdout)
    assert [row["score"] for row in now] == sorted((row["score"] for row in now), reverse=True)
    assert {row["level"] for row in now} <= {"low", "medium", "high", "critical", "gone"}

    moment = (datetime.now(UTC) - timedelta(days=60)).replace(microsecond=0).isoformat()
    words = ("risk", "--data", data, "--as-of", moment, "--format")
    before = json.loads((await asyncio.to_thread(touchline, *words, "json")).stdout)
    async with await target.clickhouse() as client:
        seen = await client.query(
            "SELECT DISTINCT customer_id FROM touchpoints WHERE occurred_at <= parseDateTime64BestEffort({at:String})",
            {"at": moment},
        )
    assert {row["customer_id"] for row in before} == {customer for (customer,) in seen}
    assert len(before) < len(now)
    assert {row["as_of"] for row in before} == {moment.replace("+00:00", ".000Z")}

    table = await asyncio.to_thread(touchline, *words, "csv", "--limit", "5")
    rows = list(csv.DictReader(StringIO(table.stdout)))
    assert [{**row, "score": float(row["score"]), "reasons": json.loads(row["reasons"])} for row in rows] == before[:5]


async def test_the_past_examines_the_model_and_teaches_another(target: Target, tmp_path: Path) -> None:
    data, file = str(target.data), str(tmp_path / "risk.json")
    month_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat()

    async def told(*words: str) -> Any:
        done = await asyncio.to_thread(touchline, "risk", *words, "--data", data)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    shipped = await told("evaluate", "--cutoff", month_ago, "--horizon", "28", "--json")
    assert shipped["customers"] > 50
    assert 0 < shipped["left"] < shipped["customers"]
    assert 0 <= shipped["roc_auc"] <= 1
    learned = await told("fit", file, "--until", month_ago, "--horizon", "28", "--json")
    assert learned["file"] == file
    fitted = await told("evaluate", "--cutoff", month_ago, "--horizon", "28", "--model", file, "--json")
    assert fitted["model_version"] == learned["model_version"] != shipped["model_version"]
    assert (fitted["customers"], fitted["left"]) == (shipped["customers"], shipped["left"])

    highest = (await told("--format", "json", "--limit", "1", "--as-of", month_ago))[0]
    one = await told("--customer", highest["customer_id"], "--as-of", month_ago)
    assert {name: one[name] for name in highest} == highest
    assert all(set(way) == {"code", "times", "score", "text"} for way in one["falls_to_medium_if"])
    assert one["lasting"] is True


@pytest.mark.parametrize("words", [("--cutoff", "2500-01-01T00:00:00Z"), ("--cutoff", "1990-01-01T00:00:00Z")])
async def test_a_time_without_a_past_or_a_future_is_refused(target: Target, words: tuple[str, str]) -> None:
    done = await asyncio.to_thread(touchline, "risk", "evaluate", *words, "--data", str(target.data))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "choose" in done.stderr


@pytest.mark.parametrize("moment", ["2026-09-21T00:00:00", "yesterday", "2026-02-30T00:00:00Z"])
def test_a_time_without_offset_is_refused(tmp_path: Path, moment: str) -> None:
    done = touchline("risk", "--as-of", moment, "--data", str(tmp_path / "none"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert moment in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_company_without_stories_is_refused(tmp_path: Path) -> None:
    done = touchline("demo", "--customers", "100", "--touchpoints", "100", "--data", str(tmp_path / "none"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_without_java_the_stand_in_broker_does(tmp_path: Path) -> None:
    path = str(Path(sys.executable).parent)
    check(demo(tmp_path, TOUCHLINE_LOCAL_BROKER="noida", PATH=path, JAVA_HOME=""), tmp_path)
    again = touchline("demo", *SMALL, "--data", str(tmp_path), TOUCHLINE_LOCAL_BROKER="noida")
    assert again.returncode == 2
    assert "already holds" in again.stderr


async def test_control_c_leaves_nothing_running(tmp_path: Path) -> None:
    process = background("demo", "--json", "--data", str(tmp_path), TOUCHLINE_LOCAL_BROKER="noida")
    try:
        await until(lambda: (found := running(tmp_path)) is not None and "roles" in found.extra)
        endpoints = running(tmp_path)
        assert endpoints is not None
        process.send_signal(signal.SIGINT)
        output, _ = await asyncio.to_thread(process.communicate, timeout=30)
    finally:
        process.kill()
    assert (process.returncode, output) == (130, b"")
    for pid in (*endpoints.pids.values(), *endpoints.extra["roles"].values()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def background(*words: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start a command that heeds Ctrl-C, even where these tests run in the background of a shell, which does not."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        command = [sys.executable, "-m", "pipeline.cli", *words]
        return subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    finally:
        signal.signal(signal.SIGINT, previous)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "condition not met in time"
        await asyncio.sleep(0.05)


async def test_a_sender_waits_when_told_to_and_sends_the_same_again() -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        if len(bodies) <= 2:
            return httpx.Response((429, 503)[len(bodies) - 1], headers={"Retry-After": "0"})
        events = json.loads(request.content)
        refused = [{"index": at} for at, event in enumerate(events) if "bad" in event]
        accepted = len(events) - len(refused)
        return httpx.Response(200 if accepted else 422, json={"accepted": accepted, "rejected": refused})

    async with httpx.AsyncClient(base_url="http://here", transport=httpx.MockTransport(answer)) as http:
        sender = Sender(
            http, batches([{"n": n} for n in range(250)] + [{"bad": n} for n in range(250)], "key"), lambda *_: None
        )
        await sender.work()
    assert (sender.accepted, sender.rejected) == (250, 250)
    assert len(bodies) == 5
    assert bodies[0] == bodies[1] == bodies[2]


async def test_a_sender_gives_up_at_once_when_its_key_is_wrong() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json={"error": {"code": "key", "message": "no"}}))
    async with httpx.AsyncClient(base_url="http://here", transport=transport) as http:
        with pytest.raises(ConfigurationError, match="401"):
            await Sender(http, batches([{}], "key"), lambda *_: None).work()
