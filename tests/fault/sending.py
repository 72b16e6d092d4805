"""Traffic on its way in while something breaks: files by `touchline backfill`, the rest event by event over HTTP."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

from pipeline.emitter import Emitter
from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.command import Answer, start
from tests.traffic import Contact, Traffic, write_jsonl

PER_SECOND = 150
_TURN = 10

Live = list[tuple[str, Contact]]
Sender = Callable[["Load", Mapping[str, Any], Live], Awaitable[None]]


@asynccontextmanager
async def supervised(data: Path, **settings: Any) -> AsyncIterator[Installation]:
    """An installation whose parts are started again when they die, as `touchline up` does."""
    given = {"collector_port": 0, "collector_private_port": 0, "session_timeout_seconds": 6.0, **settings}
    async with Installation(Settings(**given), data, on_event=lambda _: None) as installation:
        watching = asyncio.create_task(installation.watch())
        try:
            yield installation
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


class Load:
    """The whole traffic on its way into one running stack.

    Live events go at a steady pace, and the files again and again, until `hurry` is set; then what is left goes as
    fast as it can. So there is load for as long as a test needs it, and in the end everything was sent, each file
    at least `times` times.
    """

    def __init__(self, data: Path, facts: Mapping[str, Any], traffic: Traffic, send: Sender, times: int) -> None:
        self._data = data
        self._facts = facts
        self._traffic = traffic
        self._send = send
        self._times = times
        self.hurry = asyncio.Event()
        self.backfills: list[Answer] = []

    async def run(self) -> None:
        """Send everything."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(self, self._facts, self._traffic.live))
            group.create_task(self._fill())

    async def pace(self, seconds: float) -> None:
        """Wait, unless there is hurry."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.hurry.wait(), seconds)

    async def _fill(self) -> None:
        """Every file in turn; what failed because a server was away is tried again, as the command says."""
        left = Counter(dict.fromkeys(self._written(), self._times))
        for file in cycle(list(left)):
            if self.hurry.is_set() and not +left:
                return
            answer = await _backfilled(file, self._data)
            self.backfills.append(answer)
            assert "Traceback" not in answer.errors, answer.errors
            if answer.status == 0:
                left[file] -= 1

    def _written(self) -> Iterator[Path]:
        for number, contacts in enumerate(self._traffic.files):
            file = self._data.parent / f"{self._data.name}-{number}.jsonl"
            write_jsonl(file, contacts)
            yield file

    @property
    def failed(self) -> list[str]:
        """What the backfills said that did not get through."""
        return [answer.errors for answer in self.backfills if answer.status]

    @property
    def landed(self) -> int:
        """How many lines the backfills say that they brought, duplicates not counted."""
        return sum(answer.json()["landed"] for answer in self.backfills if not answer.status)


@asynccontextmanager
async def loaded(
    data: Path, facts: Mapping[str, Any], traffic: Traffic, send: Sender | None = None, times: int = 1
) -> AsyncIterator[Load]:
    """Send while the block runs, which must not take longer than the load lasts; return when all has been sent."""
    load = Load(data, facts, traffic, send or emitted, times)
    sending = asyncio.create_task(load.run())
    try:
        yield load
        if sending.done():
            await sending  # says what went wrong with it, if anything did
        assert not sending.done(), "there was no load any more when the last fault struck"
        load.hurry.set()
        await sending
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({sending})


async def emitted(load: Load, facts: Mapping[str, Any], live: Live) -> None:
    """Send by the emitter; it must get all of them through."""
    async with Emitter(facts["collector_url"], facts["write_key"]) as emitter:
        for number, (event_id, contact) in enumerate(live):
            await emitter.emit(event_id=event_id, **contact.fields)
            if number % _TURN == 0:
                await load.pace(_TURN / PER_SECOND)
        await emitter.flush()
    assert emitter.stats.accepted == len(live), emitter.stats


async def _backfilled(file: Path, data: Path) -> Answer:
    process = await start("backfill", str(file), "--data", str(data), "--json")
    try:
        output, errors = await process.communicate()
    finally:
        await _ended(process)
    return Answer(process.returncode or 0, output.decode(), errors.decode())


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
