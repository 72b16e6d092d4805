"""What the collector counts, for Prometheus."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from prometheus_client import Counter, Gauge, Histogram

from pipeline.collector.gate import Gate
from pipeline.collector.key_watch import KeyWatch
from pipeline.model import Rejected
from pipeline.process_metrics import process_registry

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

UNKNOWN = "unknown"
"""In place of a channel that an event does not name, or that is none."""


class Metrics:
    """The counters of one collector, in a registry of their own."""

    def __init__(self, gate: Gate, waiting_seconds: Callable[[], float]) -> None:
        self.registry = process_registry()
        counter = partial(Counter, registry=self.registry)
        self._requests = counter("touchline_requests", "Requests by status", ["status"])
        self._refused = counter("touchline_requests_refused", "Requests refused as a whole", ["reason"])
        of_keys = "Requests refused as a whole that came with a known key"
        self._refused_of_keys = counter("touchline_key_requests_refused", of_keys, ["key", "reason"])
        self._accepted = counter("touchline_events_accepted", "Events that Kafka acknowledged", ["channel"])
        self._rejected = counter("touchline_events_rejected", "Events kept as dead letters", ["channel", "code"])
        self._ignored = counter(
            "touchline_webhook_events_ignored", "Webhook events that are no touchpoints", ["source", "reason"]
        )
        masked = "Personal data masked or hashed in accepted events"
        self._masked = counter("touchline_personal_data_masked", masked, ["kind"])
        self._bytes = counter("touchline_body_bytes", "Bytes of bodies, decompressed")
        waited = "From handing events to Kafka to its acknowledgement"
        histogram = partial(Histogram, buckets=_SECONDS, registry=self.registry)
        self._acknowledged = histogram("touchline_ack_seconds", waited)
        in_flight = Gauge("touchline_requests_in_flight", "Requests being served", registry=self.registry)
        in_flight.set_function(lambda: gate.requests)
        held = Gauge("touchline_body_bytes_in_flight", "Bytes of their bodies", registry=self.registry)
        held.set_function(lambda: gate.bytes)
        oldest = Gauge("touchline_ack_waiting_seconds", "How long the oldest events wait", registry=self.registry)
        oldest.set_function(waiting_seconds)

    def watch(self, keys: KeyWatch) -> None:
        """Show how many keys there are, and whether their file can be read."""
        known = Gauge("touchline_keys", "Write keys that are not revoked", registry=self.registry)
        known.set_function(lambda: len(keys.keys))
        broken = Gauge("touchline_keys_file_broken", "1: it cannot be read; older keys hold", registry=self.registry)
        broken.set_function(lambda: keys.broken)

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._requests.labels(status).inc()

    def refused(self, reason: str, key_id: str = "") -> None:
        """Count a request refused as a whole; `key_id` is empty when it came without a known key."""
        self._refused.labels(reason).inc()
        if key_id:
            self._refused_of_keys.labels(key_id, reason).inc()

    def ignored(self, source: str, reasons: Mapping[str, int]) -> None:
        """Count the events of a webhook that are no touchpoints: unknown ones, unwanted ones, and those not for us."""
        for reason, count in reasons.items():
            self._ignored.labels(source, reason).inc(count)

    def read(self, count: int) -> None:
        """Count the bytes of a body."""
        self._bytes.inc(count)

    def masked(self, kinds: Tally[str]) -> None:
        """Count the personal data of events that Kafka has acknowledged."""
        for kind, count in kinds.items():
            self._masked.labels(kind).inc(count)

    def acknowledged(self, seconds: float, channels: Tally[str], refused: Iterable[tuple[int, Rejected]]) -> None:
        """Count the events of a request that Kafka has acknowledged."""
        self._acknowledged.observe(seconds)
        for channel, count in channels.items():
            self._accepted.labels(channel).inc(count)
        for _, event in refused:
            self._rejected.labels(event.channel or UNKNOWN, event.errors[0].code).inc()
