"""Clicks sent over HTTP as a careful client does: the same again until they are accepted."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from pipeline.local.state import Endpoints
from tests.clickstream import Click

BATCH = 20


@dataclass
class Load:
    """What was sent, and when the attempt began that was accepted (monotonic seconds), by event_id."""

    endpoints: Endpoints
    accepted: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    """How many requests were answered 503, or not at all."""

    async def send(self, rows: Sequence[Click]) -> None:
        """Return when every row has been accepted."""
        extra = self.endpoints.extra
        headers = {"Authorization": f"Bearer {extra['write_key']}"}
        async with httpx.AsyncClient(base_url=extra["collector_url"], headers=headers, timeout=30) as client:
            for start in range(0, len(rows), BATCH):
                await self._accept(client, [event_of(row) for row in rows[start : start + BATCH]])

    async def _accept(self, client: httpx.AsyncClient, events: list[dict[str, str]]) -> None:
        while True:
            began = time.monotonic()
            try:
                answer = await client.post("/v1/touchpoints", json=events)
            except httpx.TransportError:
                status = 0
            else:
                status = answer.status_code
            if status == 200:
                assert answer.json() == {"accepted": len(events), "rejected": []}
                self.accepted |= {event["event_id"]: began for event in events}
                return
            assert status in {0, 429, 503}, answer.text
            self.refused += 1
            await asyncio.sleep(0.05)

    async def reaches(self, count: int) -> None:
        """Return when that many have been accepted."""
        while len(self.accepted) < count:
            await asyncio.sleep(0.01)


def event_of(row: Click) -> dict[str, str]:
    """A click as the collector takes it, with an id of its own."""
    return {
        "event_id": str(uuid.uuid4()),
        "customer_id": row.customer_id,
        "occurred_at": row.occurred_at.isoformat(),
        "channel": "web",
        "touchpoint": row.touchpoint,
    }
