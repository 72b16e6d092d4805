"""A bound on what is in flight, so that a flood is answered with 429 and not with an exhausted machine."""

from __future__ import annotations

from types import TracebackType

from pipeline.collector.refusal import Refusal

MOST_REQUESTS = 1_000
MOST_BYTES = 64 * 1024 * 1024


class Gate:
    """Counts the requests in flight and the bytes of their bodies."""

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self.requests = 0
        self.bytes = 0

    def admit(self) -> Admission:
        """Let one request in. Raises a Refusal with status 429 when there are too many."""
        if self.requests >= self._most_requests or self.bytes >= self._most_bytes:
            raise busy()
        return Admission(self)

    def take(self, count: int) -> None:
        """Count bytes as in flight. Raises a Refusal with status 429 when they are too many; then none is counted."""
        if self.bytes + count > self._most_bytes:
            raise busy()
        self.bytes += count


def busy() -> Refusal:
    """429: nothing was kept, and there may be room in a moment."""
    return Refusal(429, "busy", "too much in flight: send again later", {"Retry-After": "1"})


class Admission:
    """One request's share of the gate, given back at the end of a `with` block."""

    __slots__ = ("_gate", "_held")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._held = 0

    def hold(self, count: int) -> None:
        """Count more bytes as in flight for this request. Raises a Refusal with status 429 when they are too many."""
        self._gate.take(count)
        self._held += count

    def __enter__(self) -> Admission:
        self._gate.requests += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.requests -= 1
        self._gate.bytes -= self._held
