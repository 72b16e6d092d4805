"""A backfill of clickstream gives exactly the visits and journeys of a plain gap computation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, Span, clicks, spans, write_csv
from tests.command import touchline

ROWS, CUSTOMERS = 31_000, 600


@pytest.fixture(scope="module")
async def data(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    folder = tmp_path_factory.mktemp("stack")
    async with Installation(Settings(collector_port=0, collector_private_port=0), folder):
        yield folder


@pytest.fixture(scope="module")
def rows() -> list[Click]:
    return clicks(CUSTOMERS, ROWS, seed=11)


async def seen(data: Path, table: str) -> list[Span]:
    query = f"SELECT customer_id, started_at, ended_at, touchpoints FROM {table}"
    answer = await touchline("sql", query, "--format", "JSONCompactEachRow", "--data", str(data))
    assert answer.status == 0, answer.errors
    found = [json.loads(line) for line in answer.output.splitlines()]
    return sorted(Span(row[0], moment(row[1]), moment(row[2]), int(row[3])) for row in found)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_visits_and_journeys_are_those_of_a_plain_gap_computation(
    data: Path, rows: list[Click], tmp_path: Path
) -> None:
    file = tmp_path / "clicks.csv"
    write_csv(file, rows)
    answer = await touchline("backfill", str(file), "--data", str(data), "--json")
    assert answer.status == 0, answer.errors
    assert answer.json()["landed"] == ROWS
    assert await seen(data, "visits") == spans(rows, VISIT_GAP)
    assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)


async def test_the_same_rows_in_another_order_change_nothing(data: Path, rows: list[Click], tmp_path: Path) -> None:
    before = await seen(data, "journeys")
    file = tmp_path / "again.csv"
    write_csv(file, sorted(rows, key=lambda row: (row.touchpoint, row.customer_id, row.occurred_at)))
    answer = await touchline("backfill", str(file), "--data", str(data), "--json")
    assert answer.status == 0, answer.errors
    facts = answer.json()
    assert (facts["accepted"], facts["landed"], facts["duplicates"]) == (ROWS, 0, ROWS)
    assert await seen(data, "journeys") == before
    audit = await touchline("audit", "--data", str(data), "--json", "--deep")
    assert audit.status == 0, audit.output


async def test_refused_lines_are_named_and_the_others_are_kept(data: Path, tmp_path: Path) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="milliseconds")
    file = tmp_path / "mixed.csv"
    file.write_text(
        "customer_id,occurred_at,channel,touchpoint\n"
        f"mixed-1,{now},web,page_view\n"
        f"mixed-1,{now},wbe,page_view\n"
        f"mixed-1,{later},web,page_view\n"
        f"mixed-2,{now},web,search\n"
    )
    answer = await touchline("backfill", str(file), "--data", str(data), "--json")
    facts = answer.json()
    assert answer.status == 1
    assert (facts["lines"], facts["accepted"], facts["rejected"], facts["landed"]) == (4, 2, 2, 2)
    assert [(error["line"], error["code"]) for error in facts["errors"]] == [(3, "unknown_channel"), (4, "time_future")]
    query = "SELECT count() FROM rejected WHERE source = 'backfill'"
    counted = await touchline("sql", query, "--format", "TSV", "--data", str(data))
    assert counted.output.strip() == "2"
