"""A consumer that is stopped while its broker is away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.errors import UnavailableError
from pipeline.reachable import stop


class Sleeping:
    """A consumer of which a fetch sleeps before its next try: to stop it raises what ended the sleep."""

    def __init__(self) -> None:
        self._client = self
        self.closed = False
        self.stopping = asyncio.Event()
        self.sleep = asyncio.create_task(asyncio.sleep(3_600))

    async def stop(self) -> None:
        self.stopping.set()
        await asyncio.sleep(0)
        self.sleep.cancel()
        await self.sleep

    async def close(self) -> None:
        self.closed = True


async def test_what_went_wrong_is_not_hidden_by_the_stop() -> None:
    consumer: Any = Sleeping()
    with pytest.raises(UnavailableError, match="away"):
        try:
            raise UnavailableError("away")
        finally:
            await stop(consumer)
    assert consumer.closed


async def test_who_is_cancelled_while_stopping_stays_so() -> None:
    consumer: Any = Sleeping()
    stopping = asyncio.create_task(stop(consumer))
    await consumer.stopping.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    consumer.sleep.cancel()
