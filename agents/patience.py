"""Trying until it succeeds: while whoever is asked is away, partitions are held, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agents.surroundings import Surroundings
from pipeline.errors import UnavailableError

log = logging.getLogger(__name__)

_BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

Attempt = Callable[[], Awaitable[None]]
Patiently = Callable[[Attempt, str], Awaitable[None]]
"""Tries the attempt until it succeeds; the words say who is waited for."""


def patiently(what: str, around: Surroundings) -> Patiently:
    """How `what` waits, for those who look at its health to see."""

    async def attempt_patiently(attempt: Attempt, whom: str) -> None:
        tries = 0
        with around.waits.waiting(f"{what} waits for {whom}") as wait:
            while True:
                try:
                    return await attempt()
                except UnavailableError as error:
                    log.warning("%s waits: %s", what, error)
                    wait.why = str(error)
                    await asyncio.sleep(_BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS) - 1)])
                    tries += 1

    return attempt_patiently
