"""The emitter for code without asyncio: one background thread does the sending."""

from __future__ import annotations

import atexit
import contextlib
import encodings.idna  # noqa: F401 (the first look-up of a host imports it, which a fork could cut off)
import os
import threading
import weakref
from types import TracebackType
from typing import Self, Unpack

import httpx

from pipeline.emitter.buffer import Buffer
from pipeline.emitter.delivery import Answer, Delivery, Post, deliver, endpoint
from pipeline.emitter.event import Event, Fields, made
from pipeline.emitter.options import BufferFullError, Options, WhenFull
from pipeline.emitter.report import OnRejected, Report, Stats


class SyncEmitter:
    """Sends touchpoints to a collector, in batches, from a background thread; safe to use from any thread.

    What `emit` took is sent until the collector has settled it; at the end of the process it is flushed for up to
    Options.close_seconds. A forked child starts empty, with a thread of its own: what the parent had emitted, the
    parent sends. `on_rejected` is called in the background thread.
    """

    def __init__(
        self,
        url: str,
        write_key: str,
        *,
        on_rejected: OnRejected | None = None,
        when_full: WhenFull = "raise",
        options: Options | None = None,
    ) -> None:
        self._options = options or Options()
        self._when_full = when_full
        self._on_rejected = on_rejected
        self._url = endpoint(url)
        self._headers = {"Authorization": f"Bearer {write_key}"}
        self._closed = False
        self._client: httpx.Client | None = None
        self._begin()
        self._client = self._connected()
        _alive.add(self)

    def _begin(self) -> None:
        """Start empty: in a new emitter, and in a forked child, where locks and connections are the parent's."""
        self._report = Report(self._on_rejected)
        self._buffer = Buffer(self._options)
        self._changed = threading.Condition()
        self._given_up = threading.Event()
        self._flush_to = 0
        self._thread: threading.Thread | None = None
        self._client = None

    def _connected(self) -> httpx.Client:
        """Make a client; the first is made by the caller, since what it imports must not be cut off by a fork."""
        return httpx.Client(headers=self._headers, timeout=self._options.request_seconds)

    @property
    def stats(self) -> Stats:
        """Counts of what became of the events so far, in this process."""
        with self._changed:
            return self._report.stats()

    def emit(self, **fields: Unpack[Fields]) -> str:
        """Queue one event and return its event_id.

        When the buffer is full it raises BufferFullError, or as `when_full` says drops the event and counts it, or
        waits for room. Raises ValueError for an event that can never be sent, RuntimeError after `close`.
        """
        event = made(fields)
        with self._changed:
            if self._add(event):
                self._report.emitted += 1
            else:
                self._report.dropped += 1
            if len(self._buffer) == 1 or self._buffer.has_batch:
                self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_all, name="touchline-emitter", daemon=True)
                self._thread.start()
        return event.event_id

    def flush(self, timeout: float | None = None) -> bool:
        """Send now; True when all that was emitted before is settled, False when the time ran out."""
        with self._changed:
            target = self._report.emitted
            self._flush_to = max(self._flush_to, target)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._report.settled >= target, timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Flush within `timeout` (default: Options.close_seconds) and end; False when events were given up."""
        with self._changed:
            if self._closed:
                return self._report.undelivered == 0
            self._closed = True
        _alive.discard(self)
        done = self.flush(self._options.close_seconds if timeout is None else timeout)
        self._given_up.set()
        with self._changed:
            self._buffer.clear()
            self._report.undelivered += self._report.emitted - self._report.settled
            self._changed.notify_all()
        if done and self._thread is not None:
            self._thread.join()
        elif self._thread is None and self._client is not None:
            self._client.close()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, event: Event) -> bool:
        while True:
            if self._closed:
                raise RuntimeError("the emitter is closed")
            if self._buffer.add(event):
                return True
            if self._when_full == "raise":
                raise BufferFullError(f"{len(self._buffer):,} events wait for the collector")
            if self._when_full == "drop":
                return False
            self._changed.wait()

    def _send_all(self) -> None:
        with self._client or self._connected() as client:
            while batch := self._next():
                self._drive(client, deliver(batch, self._report, self._options))
                with self._changed:
                    self._changed.notify_all()

    def _next(self) -> list[Event]:
        """Wait for the next batch; an empty one means that the emitter was closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._buffer) > 0 or self._given_up.is_set())
            self._changed.wait_for(self._hurried, self._options.linger_seconds)
            batch = self._buffer.take()
            self._changed.notify_all()
            return batch

    def _hurried(self) -> bool:
        flushing = self._flush_to > self._report.settled
        return self._buffer.has_batch or flushing or self._given_up.is_set()

    def _drive(self, client: httpx.Client, delivery: Delivery) -> None:
        answer: Answer | None = None
        with contextlib.suppress(StopIteration):
            while not self._given_up.is_set():
                step = delivery.send(answer)
                answer = None
                if isinstance(step, Post):
                    answer = self._post(client, step)
                else:
                    self._given_up.wait(step.seconds)

    def _post(self, client: httpx.Client, post: Post) -> Answer:
        try:
            return client.post(self._url, content=post.content, headers=post.headers)
        except httpx.RequestError as error:
            return error


_alive: weakref.WeakSet[SyncEmitter] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for emitter in list(_alive):
        emitter.close()


def _begin_all() -> None:
    for emitter in list(_alive):
        emitter._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_all)
