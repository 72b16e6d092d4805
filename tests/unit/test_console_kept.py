"""An answer that many watch is asked for once, and never costs more than its share of the time."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.console.kept import LEAST_SECONDS, SHARE, Kept
from pipeline.errors import UnavailableError


class Asked:
    """Counts how often it is asked; each asking takes `seconds` on its clock."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.times = 0
        self._seconds = seconds

    async def __call__(self) -> int:
        self.times += 1
        self.now += self._seconds
        await asyncio.sleep(0)
        return self.times


async def test_many_who_ask_at_once_ask_once() -> None:
    asked = Asked(0)
    kept = Kept(asked, lambda: asked.now)
    assert await asyncio.gather(*(kept.get() for _ in range(5))) == [1] * 5


@pytest.mark.parametrize(("seconds", "lasts"), [(0.0, LEAST_SECONDS), (3.0, 3.0 * SHARE)])
async def test_it_is_kept_the_longer_the_more_it_costs(seconds: float, lasts: float) -> None:
    asked = Asked(seconds)
    kept = Kept(asked, lambda: asked.now)
    assert await kept.get() == 1
    asked.now += lasts - 0.01
    assert await kept.get() == 1
    asked.now += 0.02
    assert await kept.get() == 2


async def test_a_failure_is_not_kept() -> None:
    answers = iter([UnavailableError("away"), None])

    async def ask() -> str:
        if error := next(answers):
            raise error
        return "there"

    kept = Kept(ask)
    with pytest.raises(UnavailableError):
        await kept.get()
    assert await kept.get() == "there"
