"""What the delivery agent counts, for Prometheus: attempts, and for how long a destination has taken nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from pipeline.alerts.routes import Destination

STATUSES = ("delivered", "failed", "given_up")


class DeliveryMetrics:
    """The counters, by destination, its kind and what came of it; all are there from the start, at zero."""

    def __init__(
        self,
        registry: CollectorRegistry,
        destinations: Mapping[str, Destination],
        still_open: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinds = {name: destination.kind for name, destination in destinations.items()}
        self._clock = clock
        self._failing: dict[str, float] = {}
        labels = ["destination", "kind"]
        self._attempts = Counter(
            "touchline_alert_attempts", "Attempts to deliver an alert", [*labels, "status"], registry=registry
        )
        not_yet = "Alerts not delivered yet, each for each destination"
        Gauge("touchline_alert_deliveries_open", not_yet, registry=registry).set_function(still_open)
        since = "For how long a destination has taken nothing, from its first failure on; 0: it took the last attempt"
        failing = Gauge("touchline_alert_destination_failing_seconds", since, labels, registry=registry)
        for name, kind in self._kinds.items():
            failing.labels(name, kind).set_function(partial(self._failing_for, name))
            for status in STATUSES:
                self._attempts.labels(name, kind, status)

    def attempted(self, destination: str, status: str) -> None:
        """Count an attempt whose outcome is durable."""
        self._attempts.labels(destination, self._kinds[destination], status).inc()
        if status == "delivered":
            self._failing.pop(destination, None)
        else:
            self._failing.setdefault(destination, self._clock())

    def _failing_for(self, destination: str) -> float:
        since = self._failing.get(destination)
        return 0.0 if since is None else self._clock() - since
