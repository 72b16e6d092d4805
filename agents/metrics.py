"""What a worker counts, for Prometheus: once per chunk or block, and the rest only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agents.flow import Partition

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass
class Standing:
    """How a worker stands at one moment."""

    ready: bool = False
    lag_records: Mapping[Partition, int] = field(default_factory=dict)
    lag_seconds: Mapping[Partition, float] = field(default_factory=dict)
    waiting_seconds: Mapping[str, float] = field(default_factory=dict)
    held_bytes: Mapping[str, int] = field(default_factory=dict)
    stopped: Mapping[Partition, str] = field(default_factory=dict)


class Metrics(Collector):
    """The counters of one worker, in a registry of their own; `standing` is set before they are shown.

    `done` is what the worker does to records: "folded" or "landed".
    """

    def __init__(self, done: str) -> None:
        self.registry = CollectorRegistry()
        self.standing = Standing()
        self._done = Counter(
            f"touchline_records_{done}", f"Records {done} and durable", ["topic"], registry=self.registry
        )
        self._refused = Counter(
            "touchline_records_refused", "Records that became dead letters", ["topic"], registry=self.registry
        )
        took = "From a chunk's or block's turn until all it gave is durable"
        self._seconds = Histogram("touchline_chunk_seconds", took, ["topic"], buckets=_SECONDS, registry=self.registry)
        self.registry.register(self)

    def applied(self, topic: str, records: int, refused: int, seconds: float) -> None:
        """Count what one chunk or block came to; `records` are those that were not refused."""
        self._done.labels(topic).inc(records)
        self._refused.labels(topic).inc(refused)
        self._seconds.labels(topic).observe(seconds)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges of the standing."""
        now = self.standing
        yield GaugeMetricFamily("touchline_ready", "1 while /readyz says 200", float(now.ready))
        place = ["topic", "partition"]
        lag = GaugeMetricFamily("touchline_lag_records", "Positions of the log not applied yet", labels=place)
        age = GaugeMetricFamily("touchline_lag_seconds", "Age of the oldest record not applied yet", labels=place)
        stopped = GaugeMetricFamily("touchline_partition_stopped", "1: most of its records are refused", labels=place)
        for (topic, partition), count in now.lag_records.items():
            labels = [topic, str(partition)]
            lag.add_metric(labels, count)
            age.add_metric(labels, now.lag_seconds.get((topic, partition), 0.0))
            stopped.add_metric(labels, float((topic, partition) in now.stopped))
        yield from (lag, age, stopped)
        waiting = GaugeMetricFamily("touchline_waiting_seconds", "How long work has been waiting", labels=["what"])
        for what, seconds in now.waiting_seconds.items():
            waiting.add_metric([what], seconds)
        yield waiting
        held = GaugeMetricFamily("touchline_held_bytes", "About how much of the log is in memory", labels=["topic"])
        for topic, count in now.held_bytes.items():
            held.add_metric([topic], count)
        yield held
