"""The application that agents of chunks run in: what they share, and how it ends when one of them cannot go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import faust
from faust.types import TP

from agents.flow import Flow, Partition, Turns
from agents.metrics import Metrics
from agents.waits import Waits
from pipeline.marks import Start

_QUEUED_CHUNKS = 4_096
"""More than fit into a topic's share of memory: where Faust's own queues are full, nothing is read for a second."""

Starts = Callable[[set[TP]], Awaitable[Mapping[TP, Start]]]


class ChunkedApp(faust.App):
    """A Faust application on the transport of chunks (agents/transport.py)."""

    starts: Starts | None = None
    """Where to read from, for the partitions assigned; None: from the group's committed offsets."""

    def __init__(self, *args: Any, most_bytes: int, done: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow = Flow(most_bytes)
        self.waits = Waits()
        self.metrics = Metrics(done)
        self.settled = False
        """Whether the partitions are assigned, the states of the tables recovered, and where to read from is known."""
        self.on_settled: Callable[[], None] = lambda: None
        self.closing: list[Callable[[], Awaitable[None]]] = []
        """What to close when the application stops, in order."""
        self.releasing: list[Callable[[], Awaitable[None]]] = []
        """What to finish before partitions are given back, while they are still ours."""
        self.seeking: list[Callable[[], Awaitable[None]]] = []
        """What to finish before partitions are sought, so that where they stand does not move meanwhile."""
        self.failure: BaseException | None = None
        self._failing = asyncio.Event()

    def chunks_of(self, name: str, turns: Turns | None = None) -> Any:
        """A topic for an agent; what it holds of it is bounded by `flow`."""
        self.flow.watch(name, turns)
        topic = self.topic(name, key_type=bytes, value_type=bytes)
        topic.maxsize = _QUEUED_CHUNKS  # Faust drops the argument of that name
        return topic

    def settle(self) -> None:
        """Note that the work can begin."""
        self.settled = True
        self.on_settled()

    async def ends(self) -> Mapping[Partition, int]:
        """Where the logs of the partitions assigned end now."""
        return await self.consumer.ends()

    def failed(self, error: BaseException | None) -> None:
        """Note that the application cannot go on; whoever runs it stops it and raises the error."""
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is not None and self.failure is None:
            self.failure = error
            self._failing.set()

    @contextmanager
    def failing(self, kind: type[Exception] = Exception) -> Iterator[None]:
        """Whatever a block raises ends the application: Faust would log it, or restart the agent past its chunk."""
        try:
            yield
        except kind as error:
            self.failed(error)
            raise

    async def until_failed(self) -> None:
        """Return when the application cannot go on."""
        await self._failing.wait()

    def _crash(self, reason: BaseException) -> None:
        super()._crash(reason)
        self.failed(reason)
