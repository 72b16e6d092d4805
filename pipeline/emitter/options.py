"""How an emitter gathers, waits and tries again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WhenFull = Literal["wait", "raise", "drop"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Bounds and times; the defaults suit a service that emits up to some thousand events a second."""

    batch_events: int = 500
    batch_bytes: int = 1024 * 1024
    linger_seconds: float = 0.05
    buffer_events: int = 10_000
    buffer_bytes: int = 32 * 1024 * 1024
    gzip_from_bytes: int = 8 * 1024
    request_seconds: float = 30.0
    first_delay_seconds: float = 0.1
    longest_delay_seconds: float = 10.0
    close_seconds: float = 30.0


class BufferFullError(RuntimeError):
    """The buffer is full because the collector does not take events as fast as they are emitted."""
