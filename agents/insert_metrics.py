"""What a worker counts of its inserts into ClickHouse, for Prometheus: once per attempt."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram

from pipeline.errors import UnavailableError
from sinks.clickhouse import RefusedBlock

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class InsertMetrics:
    """The counters of the inserts of one worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        took = "How long ClickHouse took for an insert that it took"
        self._seconds = Histogram("touchline_insert_seconds", took, ["topic"], buckets=_SECONDS, registry=registry)
        self._bytes = Counter("touchline_inserted_bytes", "Bytes of the blocks inserted", ["topic"], registry=registry)
        failed = "Inserts that failed: those `unavailable` are tried again, those `refused` searched for poison"
        self._failures = Counter("touchline_insert_failures", failed, ["topic", "reason"], registry=registry)

    @contextmanager
    def insert(self, topic: str, size: int) -> Iterator[None]:
        """Time an insert of so many bytes, and count how it ended; what it raises goes on."""
        started = time.monotonic()
        try:
            yield
        except UnavailableError:
            self.failed(topic, "unavailable")
            raise
        except RefusedBlock:
            self.failed(topic, "refused")
            raise
        self._seconds.labels(topic).observe(time.monotonic() - started)
        self._bytes.labels(topic).inc(size)

    def failed(self, topic: str, reason: str) -> None:
        """Count an insert that failed."""
        self._failures.labels(topic, reason).inc()
