"""`touchline report` on the real engine: every figure is the view's, whatever the customers are called."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.report.tables import exact
from sinks.clickhouse import Client, connect
from tests.command import Answer, touchline
from tests.integration.questions_company import COMPANY
from tests.integration.questions_world import in_order, touch, world
from tests.integration.sinks_server import clickhouse
from tests.unit.html_page import Element, parse, table_of

HOSTILE = "=cmd|' /C calc'!A0</script><script>alert(1)</script>\"&\u2028\u202e"
NAMED_BADLY = [
    touch(HOSTILE, f"2026-04-0{day} 10:00", "phone.complaint", outcome="unresolved", sentiment=-0.9)
    for day in (1, 2, 3)
] + [
    touch(HOSTILE, "2026-04-03 11:00", "survey.nps", rating_metric="nps", rating_score=1.0),
    touch(HOSTILE, "2026-04-03 11:05", "web.x_</script><script>alert(2)</script>"),
]
VIEWS = {
    "journey_map": "SELECT * FROM journey_map",
    "channel_performance": "SELECT * FROM channel_performance",
    "stage_conversion": "SELECT * FROM stage_conversion",
    "channel_handoffs": "SELECT * FROM channel_handoffs ORDER BY handoffs DESC, from_channel, to_channel LIMIT 40",
    "customers_at_risk": "SELECT * FROM customers_at_risk LIMIT 2",
    "touchpoint_usage": "SELECT * FROM touchpoint_usage WHERE touchpoints > 0 LIMIT 25",
    "moments_of_truth": "SELECT * FROM moments_of_truth WHERE turned_bad + turned_good > 0"
    " ORDER BY turned_bad + turned_good DESC, moods DESC, channel, touchpoint LIMIT 25",
}
"""What each section's rows must be, in their order."""
TABLES = [f"{name}.csv" for name in (*VIEWS, "risk", "sentiment_by_stage", "voice_of_customer")]
TOTALS = """
SELECT
    (SELECT count() FROM touchpoints),
    (SELECT count() FROM customers WHERE customer_id NOT LIKE 'anon:%'),
    (SELECT count() FROM journeys),
    (SELECT count() FROM journeys WHERE converted_at IS NOT NULL),
    (SELECT count() FROM customers_at_risk WHERE level IN ('high', 'critical')),
    (SELECT count() FROM alert_states WHERE status IN ('open', 'acknowledged'))
"""
Environment = dict[str, str]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


def settings(server: tuple[str, str]) -> Environment:
    url, password = server
    return {
        "TOUCHLINE_KAFKA_URL": "127.0.0.1:1",
        "TOUCHLINE_CLICKHOUSE_URL": url,
        "TOUCHLINE_CLICKHOUSE_PASSWORD": password,
    }


@pytest.fixture(scope="module")
async def reported(server: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A folder with the report of the small company, two customers at risk listed, and the company still there."""
    folder = tmp_path_factory.mktemp("report")
    async with world(server, "touchline", in_order([*COMPANY, *NAMED_BADLY])):
        answer = await touchline("report", "--out", str(folder), "--csv", "--top", "2", "--json", **settings(server))
        assert (answer.status, answer.errors) == (0, "")
        assert set(answer.json()["files"]) == {str(folder / name) for name in ("report.html", *TABLES)}
        yield folder


@pytest.fixture(scope="module")
async def client(server: tuple[str, str], reported: Path) -> AsyncIterator[Client]:
    async with await connect(server[0], "default", server[1]) as client:
        yield client


@pytest.fixture(scope="module")
def page(reported: Path) -> Element:
    return parse((reported / "report.html").read_text("utf-8"))


def shown(rows: Sequence[dict[str, Any]], like: dict[str, str]) -> list[dict[str, str]]:
    """The rows as the page shows them, with the columns that it shows."""
    return [{field: exact(row[field]) for field in like} for row in rows]


@pytest.mark.parametrize("section", VIEWS)
async def test_every_figure_is_the_views(page: Element, client: Client, section: str) -> None:
    rows = await client.look(VIEWS[section])
    table = table_of(page, section)
    assert len(table) > 1
    assert table == shown(rows, table[0])


async def test_the_totals_are_the_views(page: Element, client: Client) -> None:
    [row] = await client.query(TOTALS)
    numbers = [each for each in page.all("dd") if each.attributes["class"] == "number"]
    assert [int(each.attributes["data-value"]) for each in numbers] == list(row)
    assert row[0] > 50


async def test_the_spread_of_risk_adds_up_to_the_customers(page: Element, client: Client) -> None:
    table = table_of(page, "risk")
    for level, customers in await client.query(
        "SELECT level, count() FROM customers WHERE NOT startsWith(customer_id, 'anon:') GROUP BY level"
    ):
        assert sum(int(row["customers"]) for row in table if row["level"] == level) == customers
    for row in table:
        low = int(row["from_score"])
        where = (
            "level = {level:String} AND score >= {low:Float64} AND (score < {low:Float64} + 10 OR {low:Float64} = 90)"
        )
        query = f"SELECT count() FROM customers WHERE NOT startsWith(customer_id, 'anon:') AND {where}"
        assert await client.query(query, {"low": low, "level": row["level"]}) == [(int(row["customers"]),)]


async def test_the_mood_of_a_stage_is_the_views(page: Element, client: Client) -> None:
    found = await client.query(
        "SELECT stage, stage_sentiment_avg, sum(moods) OVER (PARTITION BY stage), sum(bad) OVER (PARTITION BY stage)"
        " FROM moments_of_truth ORDER BY position LIMIT 1 BY stage"
    )
    table = table_of(page, "sentiment_by_stage")
    assert [(row["stage"], float(row["sentiment_avg"]), int(row["moods"]), int(row["bad"])) for row in table] == found


async def test_the_voice_of_a_week_is_the_views(page: Element, client: Client) -> None:
    touched = "FROM touchpoints WHERE rating_metric = 'nps' GROUP BY toMonday(occurred_at) ORDER BY 1 DESC"
    nps = "100 * (countIf(rating_score >= 9) - countIf(rating_score <= 6)) / count()"
    found = await client.query(f"SELECT toMonday(occurred_at), count(), {nps} {touched}")
    table = [row for row in table_of(page, "voice_of_customer") if row["nps"]]
    assert [(row["week"], int(row["nps_answers"]), float(row["nps"])) for row in table] == [
        (str(week), count, score) for week, count, score in found
    ]
    assert table


async def test_a_hostile_name_stays_a_name(page: Element, reported: Path) -> None:
    assert HOSTILE in {row["customer_id"] for row in table_of(page, "customers_at_risk")}
    running = [each.text for each in page.all("script") if "type" not in each.attributes]
    assert len(running) == 2
    assert not any("alert(1)" in each or "alert(2)" in each for each in running)
    with (reported / "customers_at_risk.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "'" + HOSTILE in {row["customer_id"] for row in rows}
    assert all(json.loads(row["reasons"]) and float(row["score"]) for row in rows)


async def test_csv_of_other_commands_holds_no_formula(server: tuple[str, str], reported: Path) -> None:
    query = "SELECT customer_id, -1 AS below FROM customers WHERE startsWith(customer_id, '=')"
    for words in ((query, "--format", "CSV"), (f"{query} FORMAT CSVWithNames",)):
        answer = await touchline("sql", *words, **settings(server))
        assert list(csv.reader(answer.output.splitlines(keepends=True)))[-1] == ["'" + HOSTILE, "-1"]
    exactly = await touchline("sql", query, "--format", "JSONEachRow", **settings(server))
    assert json.loads(exactly.output)["customer_id"] == HOSTILE
    scores = await touchline("risk", "--format", "csv", **settings(server))
    assert "'" + HOSTILE in {row["customer_id"] for row in csv.DictReader(scores.output.splitlines(keepends=True))}


async def test_an_installation_without_touchpoints_gets_a_page_that_says_so(tmp_path: Path) -> None:
    async with clickhouse(tmp_path / "empty") as found, world(found, "touchline", []):
        answer = await touchline("report", "--out", str(tmp_path / "out"), "--csv", **settings(found))
    assert (answer.status, answer.errors) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.html"]
    assert "Nothing has landed yet" in parse((tmp_path / "out" / "report.html").read_text("utf-8")).text


async def refused(tmp_path: Path, *words: str, **environment: str) -> Answer:
    answer = await touchline("report", "--out", str(tmp_path / "out"), *words, **environment)
    assert answer.errors.count("\n") == 1
    assert not (tmp_path / "out").exists()
    return answer


async def test_without_plotly_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "plotly.py").write_text("raise ImportError")
    answer = await refused(tmp_path, PYTHONPATH=f"{tmp_path}:.")
    assert answer.status == 2
    assert answer.errors == "touchline: the report's charts need plotly: pip install 'touchline[report]'\n"


async def test_clickhouse_out_of_reach_is_said_in_one_line(tmp_path: Path) -> None:
    answer = await refused(tmp_path, **settings(("http://127.0.0.1:1", "")))
    assert answer.status == 1
    assert "ClickHouse at http://127.0.0.1:1 did not answer" in answer.errors
