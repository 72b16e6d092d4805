"""A customers worker that starts on a full changelog: how long until it is ready, and how much memory it takes."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median

from agents.chunk import Chunk
from agents.folding import Folding
from pipeline import readiness, topics
from pipeline.customer import Rules
from pipeline.local.child import Child
from pipeline.local.stack import LocalStack
from pipeline.settings import Settings
from tests.bench.feed import Message, encoded, send
from tests.bench.history import Given
from tests.bench.memory import peak_mb
from tests.bench.report import tell
from tests.bench.stream import touchpoints

STATES = 1_000_000
MADE = 20_000
"""So many states are folded from touchpoints of the stream; the others are copies under other keys."""
PER_CUSTOMER = 22
PARTITIONS = 4
_LONG_AFTER = 10**15
_CHUNK = 10_000
_PATIENCE = 600.0


@dataclass(frozen=True)
class Figures:
    """One start. `seconds_empty` is that of a worker that finds nothing to recover."""

    states: int
    state_bytes_median: float
    megabytes: float
    seconds: float
    seconds_empty: float
    megabytes_per_s: float
    peak_memory_mb: float


async def run(scale: float = 1.0) -> None:
    """A million states at full size."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints:
            kafka, made = endpoints.kafka_url, made_states(MADE)
            tell("recovery of the customers worker", **asdict(await figures(kafka, made, int(STATES * scale))))


async def figures(kafka_url: str, made: list[bytes], states: int) -> Figures:
    """Fill the changelog of a Kafka without topics, and start a worker on it."""
    await topics.ensure(kafka_url, topics.Making(PARTITIONS))
    seconds_empty, _ = await _start(kafka_url)
    await send(kafka_url, copies(made, states), PARTITIONS, topics.CHANGELOG)
    seconds, peak = await _start(kafka_url)
    sizes = [len(state) for state in made]
    megabytes = sum(sizes) / len(sizes) * states / 1e6
    return Figures(states, median(sizes), megabytes, seconds, seconds_empty, megabytes / seconds, peak)


async def _start(kafka_url: str) -> tuple[float, float]:
    """Seconds from the start of a worker to its being ready, and its peak of memory by then, in MB."""
    started = time.monotonic()
    async with worker(kafka_url) as child:
        return time.monotonic() - started, peak_mb(child.pid)


@asynccontextmanager
async def worker(kafka_url: str) -> AsyncIterator[Child]:
    """A customers worker that is ready, stopped in good order at the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        ready, log = Path(folder) / "ready.json", Path(folder) / "worker.log"
        environment = {
            readiness.VARIABLE: str(ready),
            "TOUCHLINE_KAFKA_URL": kafka_url,
            "TOUCHLINE_PARTITIONS": str(PARTITIONS),
        }
        child = Child.start("customers", [sys.executable, "-m", "pipeline.roles", "customers"], log, environment)
        try:
            async with asyncio.timeout(_PATIENCE):
                while readiness.read(ready) is None:
                    if not child.alive:
                        raise RuntimeError(child.tail(20))
                    await asyncio.sleep(0.02)
            yield child
        finally:
            await child.stop(20)


def made_states(customers: int) -> list[bytes]:
    """States folded from touchpoints of the measured stream, some 22 each, in an epoch long past."""
    folding = Folding(Rules.of(Settings()), epoch=1)
    states: dict[bytes, bytes] = {}
    stream, positions = encoded(touchpoints(customers * PER_CUSTOMER, customers, seed=9)), count()
    while records := [Given(next(positions), *message) for message in _next(stream)]:
        chunk = Chunk("touchpoints", 0, records[0].offset, records[-1].offset + 1, records)  # type: ignore[arg-type]
        states.update(folding(chunk, states, _LONG_AFTER).changelog)  # type: ignore[arg-type]
    return list(states.values())


def _next(stream: Iterator[Message]) -> list[Message]:
    return [message for _, message in zip(range(_CHUNK), stream, strict=False)]


def key_of(number: int) -> bytes:
    """The key of a copy."""
    return b"customer-%09d" % number


def copies(made: list[bytes], states: int) -> Iterator[Message]:
    """So many customers with one of these states each."""
    for number in range(states):
        yield key_of(number), made[number % len(made)]
