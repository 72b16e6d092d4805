"""Clicks on their way to Kafka: whoever clicked is not kept waiting for it, and is not forgotten either."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

from pipeline.errors import UnavailableError
from pipeline.lanes import Message
from pipeline.publisher import Publisher

log = logging.getLogger(__name__)

MOST_WAITING = 5_000
_RETRY_SECONDS = 0.5
_AT_A_TIME = 4


class BacklogMetrics(Protocol):
    """What counts how the clicks end."""

    def sent(self, seconds: float) -> None: ...  # noqa: D102

    def lost(self, reason: str) -> None: ...  # noqa: D102


class Backlog:
    """Publishes each click until Kafka has it, for so many seconds, and at most so many at a time.

    What is given up is counted with a reason: `full`, `gave_up`, `stopped` or `failed` (our own fault). A click
    tried again has the same event_id, so it counts once. Waiting is in memory: a killed process loses what waits.
    """

    def __init__(
        self, publisher: Publisher, keep_seconds: float, metrics: BacklogMetrics, most: int = MOST_WAITING
    ) -> None:
        self._publisher = publisher
        self._keep_seconds = keep_seconds
        self._sent = metrics.sent
        self._lost = metrics.lost
        self._most = most
        self._away = False
        self._turn = asyncio.Semaphore(_AT_A_TIME)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def put(self, message: Message) -> asyncio.Task[None] | None:
        """Take a click; the task ends when Kafka has it or it is lost. None when there is no room: it is lost."""
        if len(self._tasks) >= self._most:
            self._lost("full")
            return None
        task = asyncio.create_task(self._deliver(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, within: float) -> None:
        """Give what waits so many seconds more; what is left is lost, and said."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=within)
        for task in left:
            task.cancel()
            self._lost("stopped")
        if left:
            log.error("clicks on links lost because Kafka did not acknowledge them before the end: %d", len(left))
            await asyncio.wait(left)

    async def _deliver(self, message: Message) -> None:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._keep_seconds):
                await self._publish(message)
            self._sent(time.perf_counter() - started)
        except TimeoutError:
            self._lost("gave_up")
        except Exception:
            self._lost("failed")
            log.exception("a click on a link is lost")

    async def _publish(self, message: Message) -> None:
        """Return when Kafka has it. While Kafka is away only a few knock at its door, in turn, not thousands."""
        if not self._away and await self._acknowledged(message):
            return
        while True:
            async with self._turn:
                if await self._acknowledged(message):
                    return
                await asyncio.sleep(_RETRY_SECONDS)

    async def _acknowledged(self, message: Message) -> bool:
        try:
            await self._publisher.publish("touchpoints", [message])
        except UnavailableError:
            self._away = True
        else:
            self._away = False
        return not self._away
