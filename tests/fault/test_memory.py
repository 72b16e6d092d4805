"""A million touchpoints of 50,000 customers go through one worker under 1 GB."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import topics
from pipeline.local.stack import LocalStack
from tests.bench.child import figures_of
from tests.bench.feed import feed
from tests.bench.stream import touchpoints

pytestmark = pytest.mark.fault

EVENTS, CUSTOMERS, PARTITIONS = 1_000_000, 50_000, 4


async def test_a_million_touchpoints_fit_into_a_gigabyte(tmp_path: Path) -> None:
    async with LocalStack(tmp_path) as endpoints:
        await topics.ensure(endpoints.kafka_url, topics.Making(PARTITIONS))
        await feed(endpoints.kafka_url, touchpoints(EVENTS, CUSTOMERS), PARTITIONS)
        figures = await figures_of(
            "customers_worker", endpoints.kafka_url, str(EVENTS), TOUCHLINE_PARTITIONS=str(PARTITIONS)
        )
    assert figures["customers"] > 0.95 * CUSTOMERS  # the stream draws them at random
    assert figures["peak_memory_mb"] < 1_000
    assert figures["state_bytes_median"] <= 2_048
