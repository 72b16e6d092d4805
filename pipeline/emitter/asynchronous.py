"""The emitter for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self, Unpack

import httpx

from pipeline.emitter.buffer import Buffer
from pipeline.emitter.delivery import Answer, Delivery, Post, deliver, endpoint
from pipeline.emitter.event import Event, Fields, made
from pipeline.emitter.options import BufferFullError, Options, WhenFull
from pipeline.emitter.report import OnRejected, Report, Stats


class Emitter:
    """Sends touchpoints to a collector, in batches, in the background of the running event loop.

    What `emit` took is sent until the collector has settled it, through restarts and outages of the collector; it
    is lost only if this process ends before `flush` or `close` returned. Use it from one event loop.
    """

    def __init__(
        self,
        url: str,
        write_key: str,
        *,
        on_rejected: OnRejected | None = None,
        when_full: WhenFull = "wait",
        options: Options | None = None,
    ) -> None:
        self._options = options or Options()
        self._when_full = when_full
        self._report = Report(on_rejected)
        self._buffer = Buffer(self._options)
        self._changed = asyncio.Condition()
        self._flush_to = 0
        self._sender: asyncio.Task[None] | None = None
        self._closed = False
        self._url = endpoint(url)
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {write_key}"}, timeout=self._options.request_seconds
        )

    @property
    def stats(self) -> Stats:
        """Counts of what became of the events so far."""
        return self._report.stats()

    async def emit(self, **fields: Unpack[Fields]) -> str:
        """Queue one event and return its event_id.

        When the buffer is full it waits for room, or as `when_full` says raises BufferFullError or drops the event
        and counts it. Raises ValueError for an event that can never be sent, RuntimeError after `close`.
        """
        event = made(fields)
        async with self._changed:
            if await self._add(event):
                self._report.emitted += 1
            else:
                self._report.dropped += 1
            if len(self._buffer) == 1 or self._buffer.has_batch:
                self._changed.notify_all()
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return event.event_id

    async def flush(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 (as its sync twin)
        """Send now; True when all that was emitted before is settled, False when the time ran out."""
        target = self._report.emitted
        try:
            async with asyncio.timeout(timeout), self._changed:
                self._flush_to = max(self._flush_to, target)
                self._changed.notify_all()
                await self._changed.wait_for(lambda: self._report.settled >= target)
        except TimeoutError:
            return False
        return True

    async def close(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109
        """Flush within `timeout` (default: Options.close_seconds) and end; False when events were given up."""
        if self._closed:
            return self._report.undelivered == 0
        self._closed = True
        done = await self.flush(self._options.close_seconds if timeout is None else timeout)
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender
        await self._client.aclose()
        self._report.undelivered += self._report.emitted - self._report.settled
        self._buffer.clear()
        async with self._changed:
            self._changed.notify_all()
        return done

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _add(self, event: Event) -> bool:
        while True:
            if self._closed:
                raise RuntimeError("the emitter is closed")
            if self._buffer.add(event):
                return True
            if self._when_full == "raise":
                raise BufferFullError(f"{len(self._buffer):,} events wait for the collector")
            if self._when_full == "drop":
                return False
            await self._changed.wait()

    async def _send_all(self) -> None:
        while True:
            batch = await self._next()
            await self._drive(deliver(batch, self._report, self._options))
            async with self._changed:
                self._changed.notify_all()

    async def _next(self) -> list[Event]:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._buffer) > 0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._options.linger_seconds):
                    await self._changed.wait_for(lambda: self._buffer.has_batch or self._flushing)
            batch = self._buffer.take()
            self._changed.notify_all()
            return batch

    @property
    def _flushing(self) -> bool:
        return self._flush_to > self._report.settled

    async def _drive(self, delivery: Delivery) -> None:
        answer: Answer | None = None
        with contextlib.suppress(StopIteration):
            while True:
                step = delivery.send(answer)
                answer = None
                if isinstance(step, Post):
                    answer = await self._post(step)
                else:
                    await asyncio.sleep(step.seconds)

    async def _post(self, post: Post) -> Answer:
        try:
            return await self._client.post(self._url, content=post.content, headers=post.headers)
        except httpx.RequestError as error:
            return error
