"""Delivers to one destination: what is due, soonest first, several at once, and again until it is taken or given up.

Each destination has a courier of its own, so one that is dead or slow holds up no other.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count
from typing import Protocol

from pipeline.alerts.backlog import Delivery
from pipeline.alerts.messages import Message
from pipeline.alerts.retries import Outcome, next_attempt
from pipeline.alerts.routes import Destination

AT_ONCE = 8
"""How many attempts one destination may have under way."""

Report = Callable[[Delivery, Outcome, bool], Awaitable[None]]
"""Makes an attempt's outcome durable: what was delivered, what came of it, and whether it is given up."""


class Sender(Protocol):
    """Sends one message once."""

    async def send(self, message: Message) -> Outcome:
        """Never raises for what the destination does."""

    async def close(self) -> None:
        """Let go of what it holds."""


def now_ms() -> int:
    """UTC milliseconds."""
    return int(time.time() * 1000)


class Courier:
    """One destination's queue."""

    def __init__(self, destination: Destination, sender: Sender, report: Report) -> None:
        self._destination = destination
        self._sender = sender
        self._report = report
        self._queue: list[tuple[int, int, Delivery]] = []
        self._number = count()
        self._changed = asyncio.Event()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Deliver these when they are due."""
        for delivery in deliveries:
            heapq.heappush(self._queue, (delivery.due, next(self._number), delivery))
        self._changed.set()

    async def run(self) -> None:
        """Deliver until cancelled; attempts under way then are for `settle` and `close` to end.

        Raises what an attempt or its report raised: a fault of our own.
        """
        while True:
            batch = await self._next_due()
            await self._free.acquire()
            task = asyncio.create_task(self._attempt(batch))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    async def settle(self, seconds: float) -> None:
        """Wait a moment for the attempts under way, so that a restart need not make them again."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)

    async def close(self) -> None:
        """Give up what is still under way, and let go of the sender."""
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._sender.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._changed.set()

    async def _next_due(self) -> list[Delivery]:
        while True:
            self._changed.clear()
            if self._failure is not None:
                raise self._failure
            while self._queue and self._queue[0][2].done:
                heapq.heappop(self._queue)
            wait = self._queue[0][0] - now_ms() if self._queue else None
            if wait is not None and wait <= 0:
                return self._popped()
            try:
                async with asyncio.timeout(None if wait is None else min(wait / 1000, 60.0)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _popped(self) -> list[Delivery]:
        """The first delivery, with all that are gathered into the same digest and due too."""
        _, _, first = heapq.heappop(self._queue)
        batch = [first]
        if first.digest is not None:
            now = now_ms()
            same = [entry for entry in self._queue if entry[2].digest == first.digest and entry[0] <= now]
            batch += [entry[2] for entry in same if not entry[2].done]
            taken = {id(entry[2]) for entry in same}
            self._queue = [entry for entry in self._queue if id(entry[2]) not in taken]
            heapq.heapify(self._queue)
        return batch

    async def _attempt(self, batch: Sequence[Delivery]) -> None:
        outcome = await self._sender.send(Message.of([delivery.alert for delivery in batch]))
        now = now_ms()
        attempts = max(delivery.attempts for delivery in batch) + 1
        again_at = next_attempt(attempts, outcome, now, random.random())
        for delivery in batch:
            delivery.attempts += 1
            late = again_at - delivery.began > self._destination.give_up
            given_up = outcome.error is not None and (outcome.final or late)
            await self._report(delivery, outcome, given_up)
            delivery.due = again_at
        self.add(delivery for delivery in batch if outcome.error is not None and not delivery.done)
