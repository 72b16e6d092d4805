"""A whole installation with a few customers whom the console's tests know: some at risk, one with a hostile name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from sinks.clickhouse import Client, connect

ANGRY = ("ann", "ben", "cleo", "dan")
HOSTILE = "</title><script>document.title='owned'</script>'\"&/../%2F%00\u202eevil\u2066" + "x" * 120
LONG = "quinn"
LONG_TOUCHPOINTS = 120
NOTE = "<img src=x onerror=\"document.title='owned'\">"
DEVICE = "tablet"


@dataclass(frozen=True)
class Company:
    """A running installation, and a client of its ClickHouse."""

    installation: Installation
    client: Client

    @property
    def url(self) -> str:
        """The private listener."""
        return str(self.installation.endpoints.extra["private_url"])

    @property
    def read_key(self) -> str:
        return str(self.installation.endpoints.extra["read_key"])

    async def send(self, *events: dict[str, Any]) -> None:
        extra = self.installation.endpoints.extra
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {extra['write_key']}"}, timeout=60) as http:
            answer = await http.post(extra["collector_url"] + "/v1/touchpoints", json=list(events))
        assert answer.status_code == 200, answer.text

    async def one(self, sql: str, **parameters: Any) -> Any:
        """The one value of a query."""
        [(value,)] = await self.client.query(sql, parameters)
        return value

    async def until(self, sql: str, wanted: Any, **parameters: Any) -> None:
        """Wait until a query's one value is this."""
        async with asyncio.timeout(90):
            while await self.one(sql, **parameters) != wanted:
                await asyncio.sleep(0.1)


def event(customer: str, minutes_ago: float, channel: str, touchpoint: str, **fields: Any) -> dict[str, Any]:
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    known = {"customer_id": customer, "occurred_at": moment.isoformat(), "channel": channel, "touchpoint": touchpoint}
    return {**known, **fields}


def complaint(customer: str, minutes_ago: float) -> dict[str, Any]:
    said = {"outcome": "unresolved", "sentiment": -0.9, "attributes": {"note": NOTE, "<b>bold</b>": "'\""}}
    return event(customer, minutes_ago, "phone", "complaint", reference="ticket-1", **said)


@asynccontextmanager
async def company(folder: Path) -> AsyncIterator[Company]:
    """Start it, and return when all that was sent has landed and each who is angry has an open alert."""
    async with Installation(Settings(collector_port=0, collector_private_port=0), folder) as installation:
        known = installation.endpoints
        async with await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password) as client:
            made = Company(installation, client)
            angry = (*ANGRY, HOSTILE)
            await made.send(*(complaint(name, 100 - number) for name in angry for number in range(8)))
            await made.send(
                *(event(LONG, 5000 - number // 2, "web", "page_view") for number in range(LONG_TOUCHPOINTS - 3)),
                event(LONG, 60, "web", "purchase", value=49.9, currency="EUR", outcome="converted"),
                event(LONG, 50, "survey", "nps", rating_metric="nps", rating_score=9),
                event(LONG, 40, "mobile_app", "app_open", anonymous_id=DEVICE),
                event("eve", 10, "wbe", "page_view"),
            )
            visitor = event("", 45, "web", "product_view", anonymous_id=DEVICE)
            await made.send({name: value for name, value in visitor.items() if name != "customer_id"})
            await made.until("SELECT count() FROM alert_states WHERE status = 'open'", len(angry))
            await made.until("SELECT sum(touchpoints) FROM customers", 8 * len(angry) + LONG_TOUCHPOINTS + 1)
            await made.until("SELECT count() FROM rejected", 1)
            await made.until("SELECT count() FROM touchpoints", 8 * len(angry) + LONG_TOUCHPOINTS + 1)
            yield made
