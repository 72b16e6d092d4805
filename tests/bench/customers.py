"""The customers agent: full work, durable state, beside a plain per-event Faust agent with a table."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline import topics
from pipeline.local.stack import LocalStack
from tests.bench.child import figures_of
from tests.bench.feed import feed
from tests.bench.report import median, tell
from tests.bench.stream import touchpoints

PARTITIONS = 4
EVENTS = 1_000_000
PER_CUSTOMER = 22  # the stream of the peers' figures: 200,000 touchpoints of 9,000 customers
PLAIN_EVENTS = 30_000
SCATTERED = 100_000


async def run() -> None:
    """Sustained throughput over a million events, and its ratio to the plain agent's in the same run."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            kafka = endpoints.kafka_url
            await topics.ensure(kafka, topics.Making(PARTITIONS))
            await feed(kafka, touchpoints(EVENTS, EVENTS // PER_CUSTOMER), PARTITIONS)
            plain = [await figures_of("plain_faust", kafka, str(PLAIN_EVENTS), "1")]
            ours = await figures_of("customers_worker", kafka, str(EVENTS), TOUCHLINE_PARTITIONS=str(PARTITIONS))
            plain += [await figures_of("plain_faust", kafka, str(PLAIN_EVENTS), str(run)) for run in (2, 3)]
    tell("customers agent", **ours)
    tell("plain Faust agent with a table, median of 3", **{name: median([p[name] for p in plain]) for name in plain[0]})
    tell(
        "customers agent, times the plain agent",
        by_cpu_per_event=median([p["cpu_us_per_event"] for p in plain]) / ours["cpu_us_per_event"],
        by_events_per_s=ours["events_per_s"] / median([p["events_per_s"] for p in plain]),
    )
    await _scattered()


async def _scattered() -> None:
    """The worst case: every touchpoint of a chunk is another customer's."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            await topics.ensure(endpoints.kafka_url, topics.Making(PARTITIONS))
            stream = touchpoints(SCATTERED, 100 * SCATTERED, longest_visit=1)
            await feed(endpoints.kafka_url, stream, PARTITIONS)
            count = str(SCATTERED)
            figures = await figures_of(
                "customers_worker", endpoints.kafka_url, count, TOUCHLINE_PARTITIONS=str(PARTITIONS)
            )
    tell("customers agent, one event per customer and chunk", **figures)
