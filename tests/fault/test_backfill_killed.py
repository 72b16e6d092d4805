"""A backfill killed while it sends: the same command sends only the rest, and all has landed once."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import Process
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.log_reader import log_reader
from pipeline.settings import Settings
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans, write_csv
from tests.command import start, touchline
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS, KILLS = 120_000, 2_000, 3


async def test_it_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=29)
    file, data = tmp_path / "clicks.csv", tmp_path / "stack"
    write_csv(file, [*rows, Click("later", datetime.now(UTC) + timedelta(days=3), "search")])
    words = ("backfill", str(file), "--data", str(data), "--json")
    settings = Settings(collector_port=0, collector_private_port=0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        kafka_url = installation.endpoints.kafka_url
        noted: list[int] = []
        for _ in range(KILLS):
            process = await start(*words)
            noted.append(await killed_while_sending(process, data, noted[-1] if noted else 0))
        before = await written(kafka_url)
        answer = await touchline(*words)
        sent = await written(kafka_url) - before

        assert answer.status == 1, answer.errors
        facts = answer.json()
        assert noted[-1] <= facts["resumed"] < ROWS
        assert sent == ROWS - facts["resumed"]
        assert re.search(r"resuming at [\d,]+ of 120,000", answer.errors)
        assert (facts["lines"], facts["accepted"], facts["rejected"]) == (ROWS + 1, ROWS, 1)
        assert (facts["landed"], facts["duplicates"]) == (ROWS, 0)
        assert not (data / "backfills").exists()
        assert await seen(data, "visits") == spans(rows, VISIT_GAP)
        assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output


async def killed_while_sending(process: Process, data: Path, before: int) -> int:
    """Kill it once its journal has come further than before; return how far the journal was seen to be."""
    async with asyncio.timeout(120):
        while (sent := acknowledged(data)) <= before:
            assert process.returncode is None, await process.communicate()
            await asyncio.sleep(0.005)
    process.kill()
    await process.communicate()
    return sent


def acknowledged(data: Path) -> int:
    """How many lines the one journal there is calls acknowledged; 0 where there is none."""
    for file in (data / "backfills").glob("*.json"):
        if found := re.search(rb'"sent":(\d+)', file.read_bytes()):
            return int(found[1])
    return 0


async def written(kafka_url: str) -> int:
    """How many records topic touchpoints has been given so far."""
    async with log_reader(kafka_url) as log:
        return sum(span.end for span in (await log.spans(["touchpoints"])).values())
