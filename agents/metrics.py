"""What a worker counts, for Prometheus: once per chunk or block, and the rest only when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agents.chunk import Chunk
from agents.flow import Partition
from agents.insert_metrics import InsertMetrics
from pipeline.process_metrics import process_registry

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LATENCY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)

NONE_REFUSED: Mapping[str, int] = {}


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

    `done` is what the worker does to records: "folded", "landed", "decided" or "read".
    `states`, when set, says how many states each partition holds.
    """

    states: Callable[[], Mapping[int, int]] | None = None

    def __init__(self, done: str) -> None:
        self.registry = process_registry()
        self.standing = Standing()
        self._done = Counter(
            f"touchline_records_{done}", f"Records {done} and durable", ["topic"], registry=self.registry
        )
        letters = "Records that became dead letters, by the reason's code"
        self._refused = Counter("touchline_records_refused", letters, ["topic", "code"], registry=self.registry)
        self._sent = Counter(
            "touchline_records_sent", "Records that a chunk gave, in Kafka", ["topic"], registry=self.registry
        )
        took = "From a chunk's or block's turn until all it gave is durable"
        self._seconds = Histogram("touchline_chunk_seconds", took, ["topic"], buckets=_SECONDS, registry=self.registry)
        waited = "From a record's entry into Kafka until all it gave is durable, visible when landed: a chunk's oldest"
        self._latency = Histogram(
            "touchline_latency_seconds", waited, ["topic"], buckets=_LATENCY_SECONDS, registry=self.registry
        )
        self.registry.register(self)

    @cached_property
    def inserts(self) -> InsertMetrics:
        """Those of its inserts, for the one worker that has any."""
        return InsertMetrics(self.registry)

    def applied(self, topic: str, records: int, seconds: float, refused: Mapping[str, int] = NONE_REFUSED) -> None:
        """Count what one chunk or block came to; `refused` counts by code what is not in `records`."""
        self._done.labels(topic).inc(records)
        self._seconds.labels(topic).observe(seconds)
        for code, count in refused.items():
            self._refused.labels(topic, code).inc(count)

    def sent(self, by_topic: Mapping[str, int]) -> None:
        """Count the records that a chunk gave, once Kafka has them."""
        for topic, count in by_topic.items():
            self._sent.labels(topic).inc(count)

    def durable(self, chunk: Chunk, now: float) -> None:
        """Observe how long the oldest record of a chunk took, all others having taken less; `now` is UTC seconds."""
        if chunk.records and chunk.records[0].timestamp > 0:
            self._latency.labels(chunk.topic).observe(max(0.0, now - chunk.records[0].timestamp / 1000))

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
        if self.states is not None:
            yield _by("touchline_states", "States held in memory", "partition", self.states())
        yield _by("touchline_waiting_seconds", "How long work has been waiting", "what", now.waiting_seconds)
        yield _by("touchline_held_bytes", "About how much of the log is in memory", "topic", now.held_bytes)


def _by(name: str, text: str, label: str, values: Mapping[str, float] | Mapping[int, int]) -> GaugeMetricFamily:
    """A gauge with one label."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([str(value)], number)
    return family
