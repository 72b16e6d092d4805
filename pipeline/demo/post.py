"""Sends requests as a careful sender would: events in batches, over a few connections, again when told to wait."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from pipeline.errors import ConfigurationError, UnavailableError

Event = dict[str, Any]
Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

BATCH = 200
CONNECTIONS = 4
PATIENCE_SECONDS = 60.0
_BUSY = (429, 503)
_LONGEST_WAIT = 10.0


@dataclass(frozen=True)
class Request:
    """One request to a collector, and how many events it brings."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    events: int


class Sender:
    """Posts requests to a collector and counts its answers."""

    def __init__(self, http: httpx.AsyncClient, requests: Sequence[Request], progress: Progress) -> None:
        self._http = http
        self._requests = iter(requests)
        self._total = sum(request.events for request in requests)
        self._progress = progress
        self.accepted = 0
        self.rejected = 0

    async def work(self) -> None:
        """Send one after the other, the earliest not sent yet, until there are no more. Any number of these may run."""
        for request in self._requests:
            answer = await self._answer(request)
            self.accepted += answer["accepted"]
            self.rejected += len(answer["rejected"])
            self._progress(self.accepted + self.rejected, self._total)

    async def _answer(self, request: Request) -> dict[str, Any]:
        """The collector's verdict on a request. The same event_ids again count once, so sending again is safe.

        Raises UnavailableError when it stays busy or away, ConfigurationError when it wants none of the batch.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        for attempt in range(1_000_000):
            try:
                response = await self._http.post(request.path, content=request.body, headers=dict(request.headers))
                why = f"it answered {response.status_code}"
            except httpx.TransportError as error:
                response, why = None, repr(error)
            if response is not None and response.status_code not in _BUSY:
                return _verdict(response)
            if time.monotonic() > until:
                break
            await asyncio.sleep(_wait(response, attempt))
        raise UnavailableError(f"the collector at {self._http.base_url} took nothing for a minute ({why})")


async def post(url: str, requests: Sequence[Request], progress: Progress) -> Sender:
    """Send the requests, in order but for what several connections mix up; returns the counts."""
    async with httpx.AsyncClient(base_url=url, timeout=30.0, trust_env=False) as http:
        sender = Sender(http, requests, progress)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(sender.work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
    return sender


def batches(events: Sequence[Event], write_key: str) -> list[Request]:
    """The events as requests to the collector's own endpoint."""
    headers = {"Authorization": f"Bearer {write_key}", "Content-Type": "application/json"}
    parts = (events[at : at + BATCH] for at in range(0, len(events), BATCH))
    return [Request("/v1/touchpoints", msgspec.json.encode(part), headers, len(part)) for part in parts]


def _verdict(response: httpx.Response) -> dict[str, Any]:
    """200, and 422 when none could be accepted, count every event; anything else speaks of the whole request."""
    if response.status_code in (200, 422):
        answer: dict[str, Any] = response.json()
        if "accepted" in answer:
            return answer
    raise ConfigurationError(f"the collector refused a request ({response.status_code}): {response.text[:300]}")


def _wait(response: httpx.Response | None, attempt: int) -> float:
    """As long as the collector says, else growing with the attempts; never quite the same."""
    said = response.headers.get("Retry-After", "") if response is not None else ""
    wait = float(said) if said.isdigit() else 0.1 * 2 ** min(attempt, 7)
    return min(wait, _LONGEST_WAIT) * (1 + 0.2 * random.random())
