"""An answer that is kept for a while, so that many who watch ask no more than one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
LEAST_SECONDS = 2.0
SHARE = 10
"""Whatever a question costs, asking it takes at most this part of the time."""


class Kept(Generic[T]):
    """Asks again when the answer is older than `LEAST_SECONDS`, or than `SHARE` times what asking took."""

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._answer: tuple[float, T] | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> T:
        """The answer. Raises what asking raises, and keeps no failure."""
        async with self._asking:
            if self._answer is None or self._clock() >= self._answer[0]:
                began = self._clock()
                answer = await self._ask()
                now = self._clock()
                self._answer = (now + max(LEAST_SECONDS, SHARE * (now - began)), answer)
            return self._answer[1]
