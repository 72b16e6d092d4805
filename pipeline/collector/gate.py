"""A bound on what is in flight, shared fairly between keys: a flood is answered with 429, and starves nobody else."""

from __future__ import annotations

from types import TracebackType

from pipeline.collector.refusal import Refusal

MOST_REQUESTS = 1_000
MOST_BYTES = 64 * 1024 * 1024
SHARE = 4
"""A key may hold this many times what is left free."""


class Held:
    """What one key has in flight."""

    __slots__ = ("bytes", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0


class Gate:
    """Counts the requests in flight and the bytes of their bodies, in all and by key.

    A key that holds nothing gets whatever is free; one that holds something may hold up to SHARE times what is then
    left free. So a key alone may fill four fifths, two may hold four ninths each, and n keys that all want more than
    they get end up with SHARE / (1 + SHARE * n) of the whole each: what one holds beyond that it gives back as its
    requests end. (The rule is that of switches which share one memory: Choudhury and Hahne, Dynamic queue length
    thresholds for shared-memory packet switches, 1998.)
    """

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._held: dict[str, Held] = {}
        self.requests = 0
        self.bytes = 0

    def admit(self, key_id: str = "") -> Admission:
        """Let one request of a key in. Raises a Refusal with status 429 when there are too many."""
        held = self._held.get(key_id)
        requests = held.requests if held else 0
        if self.bytes >= self._most_bytes or not _fits(1, requests, self._most_requests - self.requests):
            raise busy()
        return Admission(self, key_id)

    def take(self, held: Held, count: int) -> None:
        """Count bytes as in flight. Raises a Refusal with status 429 when they are too many; then none is counted."""
        if not _fits(count, held.bytes, self._most_bytes - self.bytes):
            raise busy()
        self.bytes += count
        held.bytes += count

    def enter(self, key_id: str) -> Held:
        """Count a request as in flight; return what its key holds."""
        self.requests += 1
        held = self._held.get(key_id)
        if held is None:
            held = self._held[key_id] = Held()
        held.requests += 1
        return held

    def leave(self, key_id: str, held: Held, count: int) -> None:
        """Give a request back, and the bytes that were counted for it."""
        self.requests -= 1
        self.bytes -= count
        held.requests -= 1
        held.bytes -= count
        if not held.requests:
            del self._held[key_id]


def _fits(count: int, held: int, free: int) -> bool:
    """Tell whether a key that holds so much may take more of what is free."""
    return count <= free and (held == 0 or held + count <= SHARE * (free - count))


def busy() -> Refusal:
    """429: nothing was kept, and there may be room in a moment."""
    return Refusal(429, "busy", "too much in flight: send again later", {"Retry-After": "1"})


class Admission:
    """One request's share of the gate, given back at the end of a `with` block."""

    __slots__ = ("_count", "_gate", "_held", "_key_id")

    def __init__(self, gate: Gate, key_id: str) -> None:
        self._gate = gate
        self._key_id = key_id
        self._count = 0

    def hold(self, count: int) -> None:
        """Count more bytes as in flight for this request. Raises a Refusal with status 429 when they are too many."""
        self._gate.take(self._held, count)
        self._count += count

    def __enter__(self) -> Admission:
        self._held = self._gate.enter(self._key_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.leave(self._key_id, self._held, self._count)
