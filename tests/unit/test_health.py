"""Whether a worker says that it is ready, and what it says when it is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import ConsumerRecord
from prometheus_client import generate_latest

from agents.chunk import Chunk
from agents.flow import Flow, Partition
from agents.health import Health
from agents.metrics import Metrics
from agents.waits import Waits
from pipeline.errors import UnavailableError

PLACE = ("touchpoints", 2)


class Worker:
    """A worker whose log ends where the test says, on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.flow = Flow(1_000_000)
        self.waits = Waits(clock=lambda: self.now)
        self.metrics = Metrics("folded")
        self.settled = True
        self.end = 0
        self.away = False
        self.flow.watch(PLACE[0])
        self.flow.begin(PLACE, 0)

    async def ends(self) -> Mapping[Partition, int]:
        if self.away:
            raise TimeoutError
        return {PLACE: self.end}

    def shown(self) -> str:
        return generate_latest(self.metrics.registry).decode()


def chunk(age: float) -> Chunk:
    written = int((time.time() - age) * 1000)
    record: ConsumerRecord[Any, Any] = ConsumerRecord(*PLACE, 0, written, 0, None, b"", None, 0, 0, ())
    return Chunk(*PLACE, 0, 10, [record], 500)


async def test_ready_while_all_is_applied() -> None:
    worker = Worker()
    assert await Health(worker, 10).look() == []
    assert "touchline_ready 1.0" in worker.shown()


async def test_not_ready_while_states_are_recovered() -> None:
    worker = Worker()
    worker.settled = False
    [reason] = await Health(worker, 10).look()
    assert reason.startswith("recovering")


async def test_work_that_waits_is_named_with_what_failed_once_it_has_waited_long() -> None:
    worker = Worker()
    health = Health(worker, 10)
    with worker.waits.waiting("landing of journeys waits for ClickHouse") as wait:
        worker.now += 9
        assert await health.look() == []
        worker.now += 28
        assert await health.look() == ["landing of journeys waits for ClickHouse since 37 s: no answer yet"]
        wait.why = str(UnavailableError("is it running?"))
        assert await health.look() == ["landing of journeys waits for ClickHouse since 37 s: is it running?"]
        assert 'touchline_waiting_seconds{what="landing of journeys waits for ClickHouse"} 37.0' in worker.shown()
    assert await health.look() == []
    assert "37.0" not in worker.shown()


async def test_a_record_that_waits_is_named_until_it_is_applied() -> None:
    worker = Worker()
    worker.end = 10
    held = chunk(age=95)
    worker.flow.took(held)
    health = Health(worker, 30)
    assert await health.look() == ["lag: the oldest record not applied of touchpoints-2 waits for 95 s"]
    assert 'touchline_lag_records{partition="2",topic="touchpoints"} 10.0' in worker.shown()
    worker.flow.applied(held)
    assert await health.look() == []
    assert 'touchline_lag_seconds{partition="2",topic="touchpoints"} 0.0' in worker.shown()


async def test_what_is_behind_and_not_here_is_timed_from_when_it_was_first_seen() -> None:
    worker = Worker()
    health = Health(worker, 0.05)
    worker.end = 10
    assert await health.look() == []
    async with asyncio.timeout(5):
        while not (reasons := await health.look()):
            await asyncio.sleep(0.01)
    assert "touchpoints-2 waits for" in reasons[0]
    worker.flow.applied(chunk(age=0))
    worker.end = 20
    assert await health.look() == []


async def test_a_stopped_partition_is_named_once() -> None:
    worker = Worker()
    worker.end = 10
    worker.flow.took(chunk(age=95))
    worker.flow.stop(PLACE, "partition 2 stopped: most records are refused")
    assert await Health(worker, 30).look() == ["partition 2 stopped: most records are refused"]
    assert 'touchline_partition_stopped{partition="2",topic="touchpoints"} 1.0' in worker.shown()


async def test_kafka_away_is_said_at_once() -> None:
    worker = Worker()
    worker.away = True
    assert await Health(worker, 30).look() == ["Kafka does not answer"]
