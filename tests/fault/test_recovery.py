"""A worker that starts anew has its states in time, and they are the ones it goes on from."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline import state
from pipeline.local.stack import LocalStack
from tests.bench.feed import feed
from tests.bench.recovery import PARTITIONS, figures, key_of, made_states, worker
from tests.integration.collector_process import held
from tests.reference import touchpoint

pytestmark = pytest.mark.fault

STATES, MADE = 100_000, 3_000
SECONDS = 120 * STATES / 1_000_000
ASKED = range(0, STATES, 997)
NOW = int(time.time() * 1000)


async def test_a_tenth_of_a_million_states_are_there_in_a_tenth_of_two_minutes(tmp_path: Path) -> None:
    made = made_states(MADE)
    async with LocalStack(tmp_path) as endpoints:
        kafka = endpoints.kafka_url
        found = await figures(kafka, made, STATES)
        assert found.seconds < SECONDS
        assert found.peak_memory_mb < 200 + 2 * found.megabytes
        async with worker(kafka):
            later = [touchpoint(at, NOW, customer_id=key_of(at).decode(), received_at=NOW) for at in ASKED]
            await feed(kafka, later, PARTITIONS)
            customers = await published(kafka, len(later))
    for number in ASKED:
        before = state.load(made[number % len(made)]).profile
        assert customers[key_of(number).decode()]["touchpoints"] == before.inbound + before.outbound + 1


async def published(kafka_url: str, count: int) -> dict[str, dict[str, Any]]:
    """Wait until the worker has published so many customers; they by id."""
    async with asyncio.timeout(60):
        while len(rows := await held(kafka_url, "customers")) < count:
            await asyncio.sleep(0.1)
    return {row["customer_id"]: row for row in rows}
