"""The bounded buffer between whoever emits and the one sender."""

from __future__ import annotations

from collections import deque

from pipeline.emitter.event import Event
from pipeline.emitter.options import Options


class Buffer:
    """Events in the order emitted. Holds no lock: its owner sees to that."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._events: deque[Event] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event) -> bool:
        """Take an event, or return False because the buffer is full."""
        full = len(self._events) >= self._options.buffer_events
        if full or (self._events and self._bytes + len(event.raw) > self._options.buffer_bytes):
            return False
        self._events.append(event)
        self._bytes += len(event.raw)
        return True

    @property
    def has_batch(self) -> bool:
        """Whether there is enough for a whole batch, so that waiting for more gains nothing."""
        return len(self._events) >= self._options.batch_events or self._bytes >= self._options.batch_bytes

    def take(self) -> list[Event]:
        """Remove and return the next batch: the oldest events, as many as fit and at least one if there is one."""
        batch: list[Event] = []
        size = 0
        while self._events and len(batch) < self._options.batch_events:
            size += len(self._events[0].raw)
            if batch and size > self._options.batch_bytes:
                break
            batch.append(self._events.popleft())
            self._bytes -= len(batch[-1].raw)
        return batch

    def clear(self) -> int:
        """Forget all events and return how many there were."""
        count = len(self._events)
        self._events.clear()
        self._bytes = 0
        return count
