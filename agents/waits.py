"""What a worker is waiting for, and since when: noted when work begins, so that a call that never returns shows too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Wait:
    """One piece of work under way: what it is, since when (on the clock of `Waits`), and what failed last."""

    what: str
    since: float
    why: str = "no answer yet"


class Waits:
    """The pieces of work under way. For one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way: dict[int, Wait] = {}

    @contextmanager
    def waiting(self, what: str) -> Iterator[Wait]:
        """Note work for as long as the block runs; `what` is a phrase such as "landing of journeys waits for Kafka"."""
        wait = Wait(what, self._clock())
        self._under_way[id(wait)] = wait
        try:
            yield wait
        finally:
            del self._under_way[id(wait)]

    def longest(self) -> dict[str, tuple[float, str]]:
        """By what is under way: for how many seconds, and what failed last."""
        now = self._clock()
        found: dict[str, tuple[float, str]] = {}
        for wait in self._under_way.values():
            seconds = now - wait.since
            if seconds >= found.get(wait.what, (0.0, ""))[0]:
                found[wait.what] = (seconds, wait.why)
        return found
