"""What the collector holds at once: bounded in bytes, and let go of as soon as nobody waits for it."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from pipeline.collector.gate import Gate
from pipeline.collector.refusal import Refusal
from pipeline.lanes import Lane


def test_bytes_are_refused_before_they_are_too_many() -> None:
    gate = Gate(most_requests=10, most_bytes=100)
    with gate.admit("a") as first, gate.admit("b") as second:
        first.hold(90)
        with pytest.raises(Refusal) as refusal:
            second.hold(11)
        assert (refusal.value.status, refusal.value.headers["Retry-After"]) == (429, "1")
        second.hold(10)
        with pytest.raises(Refusal):
            gate.admit("c")
    assert (gate.requests, gate.bytes) == (0, 0)
    gate.admit("c")


def test_requests_are_refused_when_there_are_too_many() -> None:
    gate = Gate(most_requests=1, most_bytes=100)
    with gate.admit(), pytest.raises(Refusal):
        gate.admit()


class Batch:
    """Takes all it is given."""

    def append(self, **_: Any) -> object:
        return object()


class Stuck:
    """A producer whose batches are never acknowledged."""

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()


class Messages(list[tuple[bytes | None, bytes]]):
    """A list that can be watched."""


async def test_messages_whose_caller_gave_up_are_let_go_of_while_a_batch_is_stuck() -> None:
    lane = Lane(Stuck(), "touchpoints", 0, lambda _: None)
    first = lane.put([(None, b"on its way")])
    async with asyncio.timeout(5):
        while lane._waiting:
            await asyncio.sleep(0)
    messages = Messages([(None, b"behind it")])
    behind, watched = lane.put(messages), weakref.ref(messages)
    del messages
    assert watched() is not None
    behind.cancel()
    await asyncio.sleep(0)
    assert watched() is None
    lane.fail(KafkaError("the end"))
    with pytest.raises(KafkaError):
        await first
