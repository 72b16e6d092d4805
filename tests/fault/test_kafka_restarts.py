"""Kafka is killed, and stopped in good order, under load: the collector says 503 meanwhile, and no 200 was a lie."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.local.broker import answers
from pipeline.local.installation import Installation
from tests.fault.faults import kill
from tests.fault.picture import Picture, assert_undisturbed
from tests.fault.sending import Live, Load, loaded, supervised
from tests.traffic import Traffic

pytestmark = pytest.mark.fault

POSTERS = 8
PAUSE_SECONDS = POSTERS / 150


@dataclass(frozen=True)
class Answered:
    """A request's moments of asking and answer, and its status."""

    asked: float
    answered: float
    status: int


@dataclass
class Poster:
    """Posts every event on its own until it is told 200, and then never again: a 200 that lied would show."""

    answers: list[Answered] = field(default_factory=list)

    async def __call__(self, load: Load, facts: Mapping[str, Any], live: Live) -> None:
        headers = {"Authorization": f"Bearer {facts['write_key']}"}
        left = iter(live)
        async with httpx.AsyncClient(base_url=facts["collector_url"], headers=headers, timeout=30) as http:

            async def work() -> None:
                for event_id, contact in left:
                    while not await self._post(http, {"event_id": event_id, **contact.fields}):
                        await asyncio.sleep(PAUSE_SECONDS)
                    await load.pace(PAUSE_SECONDS)

            await asyncio.gather(*(work() for _ in range(POSTERS)))

    async def _post(self, http: httpx.AsyncClient, event: dict[str, Any]) -> bool:
        asked = time.monotonic()
        status = (await http.post("/v1/touchpoints", json=event)).status_code
        self.answers.append(Answered(asked, time.monotonic(), status))
        return status == 200

    def between(self, begin: float, end: float) -> set[int]:
        """The statuses of what was asked and answered between two moments."""
        return {each.status for each in self.answers if begin < each.asked and each.answered < end}


async def away(installation: Installation, fault: Awaitable[None]) -> tuple[float, float]:
    """Take Kafka away, wait until it answers again; two moments between which it certainly did not."""
    port = int(installation.endpoints.kafka_url.rsplit(":", 1)[1])
    striking = asyncio.ensure_future(fault)
    silent: list[tuple[float, float]] = []
    while True:
        asked = time.monotonic()
        if not await answers(port):
            silent.append((asked, time.monotonic()))
        elif silent and striking.done():
            await striking
            return silent[0][1], silent[-1][0]
        await asyncio.sleep(0.02)


async def until_taken(poster: Poster) -> None:
    """Wait until an event asked for from now on is taken."""
    begin = time.monotonic()
    async with asyncio.timeout(60):
        while 200 not in poster.between(begin, time.monotonic()):
            await asyncio.sleep(0.05)


async def test_nothing_is_lost_and_the_collector_says_so_meanwhile(
    company: Traffic, undisturbed: Picture, tmp_path: Path
) -> None:
    data, poster = tmp_path / "stack", Poster()
    async with supervised(data, ack_timeout_seconds=0.5) as installation:
        async with loaded(data, installation.endpoints.extra, company, poster):
            await until_taken(poster)
            killed = await away(installation, kill(installation, "kafka"))
            await until_taken(poster)
            stopped = await away(installation, installation.stack.restart("kafka"))
            await until_taken(poster)
        assert {answer.status for answer in poster.answers} == {200, 503}
        assert poster.between(*killed) == {503}
        assert 503 in poster.between(*stopped)
        await assert_undisturbed(data, company, undisturbed)
