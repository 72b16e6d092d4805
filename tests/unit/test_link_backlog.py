"""Clicks that wait for Kafka: each is acknowledged or counted as lost, and never more wait than may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pipeline.collector.links.backlog import Backlog
from pipeline.errors import UnavailableError
from pipeline.lanes import Message

CLICK: Message = (b"ada", b"click")


class Slow:
    """A publisher that acknowledges when it is let, and refuses the first times."""

    def __init__(self, refusals: int = 0, error: type[Exception] = UnavailableError) -> None:
        self.may = asyncio.Event()
        self.had: list[Message] = []
        self.trying = self.most = 0
        self._refusals = refusals
        self._error = error

    async def publish(self, topic: str, messages: Iterable[Message]) -> None:
        assert topic == "touchpoints"
        self.trying += 1
        self.most = max(self.most, self.trying)
        try:
            await self.may.wait()
        finally:
            self.trying -= 1
        if self._refusals:
            self._refusals -= 1
            raise self._error("not now")
        self.had.extend(messages)


class Count:
    def __init__(self) -> None:
        self.acknowledged = 0
        self.reasons: list[str] = []

    def sent(self, seconds: float) -> None:
        assert seconds >= 0
        self.acknowledged += 1

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)


def backlog(publisher: Slow, count: Count, keep_seconds: float = 60, most: int = 5) -> Backlog:
    return Backlog(publisher, keep_seconds, count, most)  # type: ignore[arg-type]


async def test_a_click_is_tried_until_kafka_has_it() -> None:
    publisher, count = Slow(refusals=2), Count()
    waiting = backlog(publisher, count)
    publisher.may.set()
    task = waiting.put(CLICK)
    assert task is not None
    await task
    assert (publisher.had, count.acknowledged, count.reasons, len(waiting)) == ([CLICK], 1, [], 0)


async def test_while_kafka_is_away_few_try_at_a_time() -> None:
    publisher, count = Slow(refusals=1), Count()
    waiting = backlog(publisher, count, most=100)
    publisher.may.set()
    first = waiting.put(CLICK)
    while not publisher.most or publisher.trying:
        await asyncio.sleep(0)
    publisher.may.clear()
    for _ in range(50):
        waiting.put(CLICK)
    publisher.may.set()
    await waiting.finish(60)
    assert first is not None and first.done()
    assert (count.acknowledged, count.reasons) == (51, [])
    assert publisher.most <= 4


async def test_no_more_wait_than_may() -> None:
    publisher, count = Slow(), Count()
    waiting = backlog(publisher, count, most=2)
    tasks = [waiting.put(CLICK) for _ in range(3)]
    assert tasks[2] is None
    assert (count.reasons, len(waiting)) == (["full"], 2)
    publisher.may.set()
    await waiting.finish(60)
    assert (count.acknowledged, len(waiting)) == (2, 0)
    assert waiting.put(CLICK) is not None
    await waiting.finish(60)
    assert count.acknowledged == 3


async def test_what_is_given_up_is_counted() -> None:
    publisher, count = Slow(), Count()
    task = backlog(publisher, count, keep_seconds=0.01).put(CLICK)
    assert task is not None
    await task
    assert count.reasons == ["gave_up"]


async def test_what_still_waits_at_the_end_is_counted() -> None:
    publisher, count = Slow(), Count()
    waiting = backlog(publisher, count)
    waiting.put(CLICK)
    await waiting.finish(0)
    assert (count.reasons, count.acknowledged, len(waiting)) == (["stopped"], 0, 0)
    await waiting.finish(0)


async def test_a_fault_of_our_own_is_counted() -> None:
    publisher, count = Slow(refusals=1, error=RuntimeError), Count()
    publisher.may.set()
    task = backlog(publisher, count).put(CLICK)
    assert task is not None
    await task
    assert count.reasons == ["failed"]
