"""The customers agent: full work, durable state, beside a plain per-event Faust agent with a table."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pipeline import topics
from pipeline.local.stack import LocalStack
from tests.bench.child import figures_of
from tests.bench.feed import feed
from tests.bench.report import median, tell
from tests.bench.stream import touchpoints

PARTITIONS = 4
PEERS = (200_000, 9_000)
SUSTAINED = (1_000_000, 45_000)
PLAIN_EVENTS = 50_000
SCATTERED = 100_000
ROUNDS = 3


async def run() -> None:
    """The peers' stream beside a plain agent, in turn; then sustained; then the worst case."""
    await _beside_plain()
    await _sustained()
    await _scattered()


async def _beside_plain() -> None:
    ours, plain = [], []
    for turn in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            async with LocalStack(Path(folder)) as endpoints:
                kafka, (events, customers) = endpoints.kafka_url, PEERS
                await topics.ensure(kafka, topics.Making(PARTITIONS))
                await feed(kafka, touchpoints(events, customers), PARTITIONS)
                plain.append(await figures_of("plain_faust", kafka, str(PLAIN_EVENTS), str(turn)))
                ours.append(await _worker(kafka, events))
    tell("customers agent, the peers' stream, median of 3", **_medians(ours))
    tell("plain Faust agent with a table, median of 3", **_medians(plain))
    tell(
        "customers agent, times the plain agent, median of 3",
        by_cpu_per_event=_ratio(plain, ours, "cpu_us_per_event"),
        by_events_per_s=_ratio(ours, plain, "events_per_s"),
    )


async def _sustained() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            events, customers = SUSTAINED
            await topics.ensure(endpoints.kafka_url, topics.Making(PARTITIONS))
            await feed(endpoints.kafka_url, touchpoints(events, customers), PARTITIONS)
            tell("customers agent, sustained", **await _worker(endpoints.kafka_url, events))


async def _worker(kafka_url: str, events: int) -> dict[str, Any]:
    return await figures_of("customers_worker", kafka_url, str(events), TOUCHLINE_PARTITIONS=str(PARTITIONS))


def _ratio(above: list[dict[str, Any]], below: list[dict[str, Any]], name: str) -> float:
    return median([one[name] / other[name] for one, other in zip(above, below, strict=True)])


def _medians(figures: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: median([one[name] for one in figures]) for name in figures[0]}


async def _scattered() -> None:
    """The worst case: every touchpoint of a chunk is another customer's."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            await topics.ensure(endpoints.kafka_url, topics.Making(PARTITIONS))
            stream = touchpoints(SCATTERED, 100 * SCATTERED, longest_visit=1)
            await feed(endpoints.kafka_url, stream, PARTITIONS)
            tell("customers agent, one event per customer and chunk", **await _worker(endpoints.kafka_url, SCATTERED))
