"""What more workers cost: CPU seconds of all customers workers together, per event, at one, two and four of them.

The workers are started first. The backlog lies in Kafka in a transaction that is committed when all have their
partitions, so that they meet the whole of it at once. CPU is read from /proc then, and again when the group has
committed the last offset: so the starts of the interpreters and of the group do not count, and everything else does.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pipeline import topics
from pipeline.landed import wait_for
from pipeline.local.child import Child
from pipeline.local.stack import LocalStack
from pipeline.log_reader import log_reader
from tests.bench.feed import Message, backlog, encoded
from tests.bench.recovery import PARTITIONS, PER_CUSTOMER, worker
from tests.bench.report import median, tell
from tests.bench.stream import touchpoints
from tests.group import applied, until_members

EVENTS = 500_000
WORKERS = (1, 2, 4)
ROUNDS = 3
_PATIENCE = 600.0
_TICKS = os.sysconf("SC_CLK_TCK")


async def run(scale: float = 1.0) -> None:
    """Each number in turn, several times; medians, and their ratios to one worker."""
    events = int(EVENTS * scale)
    messages = list(encoded(touchpoints(events, events // PER_CUSTOMER)))
    turns = [[await _measured(messages, number) for number in WORKERS] for _ in range(ROUNDS)]
    for index, number in enumerate(WORKERS):
        mine = [turn[index] for turn in turns]
        tell(
            f"customers workers: {number}, median of {ROUNDS}",
            events=events,
            cpu_us_per_event=median([one["cpu_us_per_event"] for one in mine]),
            events_per_s=median([one["events_per_s"] for one in mine]),
            cpu_times_one_worker=median(
                [turn[index]["cpu_us_per_event"] / turn[0]["cpu_us_per_event"] for turn in turns]
            ),
        )


async def _measured(messages: list[Message], number: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with LocalStack(Path(folder)) as endpoints, AsyncExitStack() as stack:
            kafka = endpoints.kafka_url
            await topics.ensure(kafka, topics.Making(PARTITIONS))
            async with backlog(kafka, messages, PARTITIONS):
                started = [stack.enter_async_context(worker(kafka)) for _ in range(number)]
                workers = await asyncio.gather(*started)
                await until_members(kafka, number)
                begin, cpu = time.monotonic(), sum(map(_cpu, workers))
            await _until_folded(kafka)
            seconds, used = time.monotonic() - begin, sum(map(_cpu, workers)) - cpu
    return {"cpu_us_per_event": used / len(messages) * 1e6, "events_per_s": len(messages) / seconds}


async def _until_folded(kafka_url: str) -> None:
    async with log_reader(kafka_url) as log:
        spans = await log.spans(["touchpoints"])
        await wait_for(log, spans, applied(kafka_url), time.monotonic() + _PATIENCE)


def _cpu(child: Child) -> float:
    """CPU seconds of a process so far, in user and system mode."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
