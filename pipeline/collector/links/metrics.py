"""What following short links counts, for Prometheus."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable
from functools import partial

from prometheus_client import Counter, Gauge

from pipeline.collector.metrics import Metrics

IGNORED = ("head", "prefetch", "preview", "opted_out")
LOST = ("full", "gave_up", "stopped", "failed")
NOWHERE = ("unknown", "expired")


class LinkMetrics:
    """The counters; every reason is there from the start, so that an alert can be set on it."""

    def __init__(self, collector: Metrics) -> None:
        self._collector = collector
        counter = partial(Counter, registry=collector.registry)
        self._redirected = counter("touchline_links_redirected", "Requests sent on to a link's target", ["kind"])
        self._ignored = counter("touchline_links_ignored", "Redirects that are no touchpoint", ["reason"])
        self._nowhere = counter("touchline_links_nowhere", "Requests for links that lead nowhere", ["reason"])
        self._lost = counter("touchline_links_lost", "Clicks redirected, but not in Kafka", ["reason"])
        self._late = counter("touchline_links_late", "Clicks redirected before Kafka acknowledged them")
        self._tokens = counter("touchline_links_tokens_refused", "Tokens not made here for that link")
        self._unread = counter("touchline_links_reload_failures", "Changes of the registry that cannot be used")
        for known, metric in ((IGNORED, self._ignored), (NOWHERE, self._nowhere), (LOST, self._lost)):
            for reason in known:
                metric.labels(reason)

    def watch(self, links: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Show how many links there are, and how many clicks wait for Kafka."""
        gauge = partial(Gauge, registry=self._collector.registry)
        gauge("touchline_links_registered", "Links of the registry in use").set_function(links)
        gauge("touchline_links_waiting", "Clicks that wait for Kafka's acknowledgement").set_function(waiting)

    def redirected(self, kind: str) -> None:
        """Count a redirect, whatever comes of it."""
        self._redirected.labels(kind).inc()

    def ignored(self, reason: str) -> None:
        """Count a redirect that is no touchpoint."""
        self._ignored.labels(reason).inc()

    def nowhere(self, reason: str) -> None:
        """Count a request for a link that leads nowhere."""
        self._nowhere.labels(reason).inc()

    def sent(self, seconds: float) -> None:
        """Count a click that Kafka has acknowledged, as all accepted events are."""
        self._collector.acknowledged(seconds, Tally(link=1), ())

    def lost(self, reason: str) -> None:
        """Count a click that will not be in Kafka."""
        self._lost.labels(reason).inc()

    def late(self) -> None:
        """Count a redirect that did not wait for Kafka any longer."""
        self._late.inc()

    def token_refused(self) -> None:
        """Count a token that says nothing."""
        self._tokens.inc()

    def unread(self) -> None:
        """Count a registry that could not be read."""
        self._unread.inc()
