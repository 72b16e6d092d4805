"""All that analysts and operations see of an installation, so that a disturbed one can be held beside a calm one."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import UnavailableError
from pipeline.landed import wait_until_landed
from pipeline.local.stack import running
from sinks.clickhouse import connect
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Span, spans
from tests.command import touchline
from tests.traffic import Traffic

VIEWS = {
    "touchpoints": "SELECT * EXCEPT (received_at, source, kafka_epoch, kafka_partition, kafka_offset) FROM touchpoints",
    "visits": "SELECT * FROM visits",
    "journeys": "SELECT * EXCEPT (revision, is_open) FROM journeys",
    "customers": "SELECT * EXCEPT (revision, score, level, reasons, action, scored_at) FROM customers",
}
"""Every column but those that say when and how something arrived, or what that or the moment of asking makes of it."""

_SHOWN = 3
_LANDING_SECONDS = 120.0


@dataclass(frozen=True)
class Picture:
    """The rows of each view, and every customer's risk at one moment, as sorted lines of JSON."""

    views: dict[str, list[str]]

    def differences(self, other: Picture) -> list[str]:
        """The first rows, by view, that only one of the two has."""
        found = []
        for view, rows in self.views.items():
            here, there = Counter(rows), Counter(other.views[view])
            if here != there:
                found.append(f"{view}: {len(rows)} rows here, {len(other.views[view])} there")
                found += [f"only here {row}" for row in sorted(here - there)[:_SHOWN]]
                found += [f"only there {row}" for row in sorted(there - here)[:_SHOWN]]
        return found

    def spans(self, view: str) -> list[Span]:
        """Its visits or journeys as the plain computation gives them."""
        rows = [json.loads(row) for row in self.views[view]]
        return sorted(
            Span(row["customer_id"], _moment(row["started_at"]), _moment(row["ended_at"]), int(row["touchpoints"]))
            for row in rows
        )


async def picture(data: Path, as_of: datetime) -> Picture:
    """Ask as a user would; all must have landed."""
    views = {name: _lines(await _asked(data, query)) for name, query in VIEWS.items()}
    moment = as_of.isoformat(timespec="milliseconds")
    risk = await touchline("risk", "--as-of", moment, "--format", "json", "--data", str(data))
    assert risk.status == 0, risk.errors
    return Picture({**views, "risk": _lines(risk.json())})


def assert_plain(found: Picture, traffic: Traffic) -> None:
    """Hold the visits and journeys to the plain gap computation, row by row."""
    for view, gap in (("visits", VISIT_GAP), ("journeys", JOURNEY_GAP)):
        here, there = Counter(found.spans(view)), Counter(spans(traffic.inbound(), gap))
        assert (sorted(here - there)[:_SHOWN], sorted(there - here)[:_SHOWN]) == ([], []), view


async def assert_undisturbed(data: Path, traffic: Traffic, undisturbed: Picture) -> None:
    """Hold what has landed to the audit, to the plain computation and to an installation that nothing happened to."""
    await assert_audited(data)
    found = await picture(data, traffic.as_of)
    assert found.differences(undisturbed) == []
    assert_plain(found, traffic)


async def assert_audited(data: Path) -> None:
    """Wait until all in Kafka has landed; then the audit, looking deep, must find nothing missing."""
    async with asyncio.timeout(_LANDING_SECONDS):
        while not await _landed(data):
            await asyncio.sleep(0.2)
    audit = await touchline("audit", "--data", str(data), "--json", "--deep")
    assert audit.status == 0, audit.output + audit.errors


async def _landed(data: Path) -> bool:
    """Wait for all that Kafka holds; False when a server was away meanwhile."""
    endpoints = running(data)
    if endpoints is None:
        return False
    address = (endpoints.clickhouse_url, endpoints.clickhouse_user, endpoints.clickhouse_password)
    try:
        async with await connect(*address) as client:
            await wait_until_landed(endpoints.kafka_url, client, timeout=_LANDING_SECONDS)
    except UnavailableError:
        return False
    return True


async def _asked(data: Path, query: str) -> list[dict[str, Any]]:
    answer = await touchline("sql", query, "--format", "JSONEachRow", "--data", str(data))
    assert answer.status == 0, answer.errors
    return [json.loads(line) for line in answer.output.splitlines()]


def _lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
