"""One customer with as many touchpoints as all others together: what the customers agent pays for it.

Each variant is the measured stream with the hot customer's touchpoints between the others', one for one; beside it, in
the same run, the stream alone. At full size that is a million and a million. `touchpoints_max` says how many of the
hot customer's touchpoints were counted, which is all of them where none came too late.
"""

from __future__ import annotations

import random
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline import topics
from pipeline.local.stack import LocalStack
from pipeline.model import Record
from tests.bench.child import figures_of
from tests.bench.feed import feed
from tests.bench.report import tell
from tests.bench.stream import START, touchpoints

EVENTS = 1_000_000
PER_CUSTOMER = 22
PARTITIONS = 4
HOT = "customer-hot"
_DAY = 86_400_000
_HISTORY = 90 * _DAY - 1

Moments = Callable[[int], list[int]]


def dense(count: int) -> list[int]:
    """A robot: one every second."""
    return [START + 1_000 * number for number in range(count)]


def spread(count: int) -> list[int]:
    """Evenly over 90 days, in order."""
    return [START + _HISTORY * number // count for number in range(count)]


def shuffled(count: int) -> list[int]:
    """Evenly over 90 days, arriving in any order."""
    moments = spread(count)
    random.Random(3).shuffle(moments)
    return moments


VARIANTS: dict[str, Moments] = {"dense": dense, "spread": spread, "shuffled": shuffled}


async def run(scale: float = 1.0) -> None:
    """The stream alone, then with each variant of the hot customer."""
    count = int(EVENTS * scale)
    alone = await figures(count, None)
    tell("customers agent, no hot customer", **alone)
    for name in VARIANTS:
        tell(f"customers agent, one hot customer, {name}", **beside(await figures(count, name), alone))


def beside(hot: dict[str, Any], alone: dict[str, Any]) -> dict[str, Any]:
    """The figures with the hot customer, and what it adds to those without."""
    added = hot["events"] * hot["cpu_us_per_event"] - alone["events"] * alone["cpu_us_per_event"]
    return {
        **hot,
        "cpu_per_event_times_the_stream_alone": hot["cpu_us_per_event"] / alone["cpu_us_per_event"],
        "cpu_us_per_hot_event": added / (hot["events"] - alone["events"]),
    }


async def figures(count: int, variant: str | None) -> dict[str, Any]:
    """What it takes to fold `count` touchpoints of the stream, and as many of the hot customer's if there is one."""
    stream = touchpoints(count, count // PER_CUSTOMER)
    mixed = stream if variant is None else between(stream, VARIANTS[variant](count))
    total = count if variant is None else 2 * count
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            await topics.ensure(endpoints.kafka_url, topics.Making(PARTITIONS))
            await feed(endpoints.kafka_url, mixed, PARTITIONS)
            return await figures_of(
                "customers_worker", endpoints.kafka_url, str(total), TOUCHLINE_PARTITIONS=str(PARTITIONS)
            )


def between(stream: Iterator[Record], moments: list[int]) -> Iterator[Record]:
    """After each record one more of its kind, the hot customer's at the next moment, as if it had just come in."""
    rng, newest = random.Random(5), START
    for record, moment in zip(stream, moments, strict=True):
        yield record
        newest = max(newest, moment)
        yield {
            **record,
            "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "customer_id": HOT,
            "occurred_at": moment,
            "received_at": newest,
        }
