"""What each role counts, every metric having moved once: for the page of metrics, and what names them in deploy/."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from functools import cache
from typing import cast

from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry, Metric

from agents.census import Census
from agents.chunk import Chunk
from agents.delivery_metrics import DeliveryMetrics
from agents.metrics import Metrics as WorkerMetrics
from agents.metrics import Standing
from pipeline.alerts.routes import Destination
from pipeline.collector.gate import Gate
from pipeline.collector.key_watch import KeyWatch
from pipeline.collector.keys import keys_of_setting
from pipeline.collector.links.metrics import LinkMetrics
from pipeline.collector.metrics import Metrics as CollectorMetrics
from pipeline.model import FieldError, Rejected
from sinks.clickhouse import Client

PLACE = ("touchpoints", 0)


class Counted:
    """A ClickHouse that has counted."""

    async def query(self, _: str) -> list[tuple[str, str, int]]:
        return [("customers", "high", 3), ("customers", "low", 5), ("journeys", "", 7)]


def collector() -> CollectorRegistry:
    """The collector's, after a request of every kind."""
    metrics = CollectorMetrics(Gate(), lambda: 2.0)
    metrics.watch(KeyWatch(keys_of_setting("wk_test"), None))
    links = LinkMetrics(metrics)
    links.watch(lambda: 1, lambda: 1)
    links.redirected("link")
    metrics.answered(200)
    metrics.refused("key_unknown")
    metrics.refused("rate", "key_1")
    metrics.ignored("shopify", {"unknown": 1})
    metrics.read(100)
    metrics.masked(Tally(email=1))
    refused = Rejected((FieldError("time_naive", "occurred_at", "no offset"),), b"{}", channel="web")
    metrics.acknowledged(0.1, Tally(web=2), [(0, refused)])
    return metrics.registry


def worker(done: str) -> WorkerMetrics:
    """What every worker counts, after a chunk."""
    metrics = WorkerMetrics(done)
    record = ConsumerRecord(*PLACE, 0, 1_000, 0, None, b"", None, 0, 0, ())
    metrics.durable(Chunk(*PLACE, 0, 1, [record]), 3.0)
    metrics.applied("touchpoints", 9, 0.2, {"contract": 1})
    metrics.sent({"journeys": 2})
    metrics.standing = Standing(True, {PLACE: 4}, {PLACE: 5.0}, {"landing waits": 6.0}, {"touchpoints": 7}, {})
    return metrics


def customers() -> CollectorRegistry:
    """The customers worker's."""
    metrics = worker("folded")
    metrics.states = lambda: {0: 8}
    return metrics.registry


def alerts() -> CollectorRegistry:
    """The alerts worker's."""
    metrics = worker("decided")
    metrics.states = lambda: {0: 8}
    return metrics.registry


async def landing() -> CollectorRegistry:
    """The landing worker's, after an insert and a census."""
    metrics = worker("landed")
    with metrics.inserts.insert("touchpoints", 11):
        pass
    metrics.inserts.failed("touchpoints", "unavailable")
    await Census(cast(Client, Counted()), metrics.registry).take()
    return metrics.registry


def delivery() -> CollectorRegistry:
    """The delivery worker's, after two attempts."""
    metrics = worker("read")
    told = DeliveryMetrics(metrics.registry, {"crm": Destination("crm", "webhook", "http://crm")}, lambda: 1)
    told.attempted("crm", "delivered")
    told.attempted("crm", "failed")
    return metrics.registry


async def registries() -> Mapping[str, CollectorRegistry]:
    """All, by role."""
    return {
        "collector": collector(),
        "customers": customers(),
        "landing": await landing(),
        "alerts": alerts(),
        "delivery": delivery(),
    }


@cache
def exposed(metric: str, kind: str) -> tuple[str, ...]:
    """The names under which Prometheus finds a metric."""
    if kind == "counter":
        return (f"{metric}_total",)
    if kind == "histogram":
        return tuple(f"{metric}_{part}" for part in ("bucket", "count", "sum"))
    return (metric,)


def labels_of(metric: Metric) -> tuple[str, ...]:
    """The labels of a metric's samples, but for a histogram's bounds."""
    return tuple(sorted({name for sample in metric.samples for name in sample.labels} - {"le"}))


async def names() -> dict[str, frozenset[str]]:
    """By role, every name that a query may use."""
    return {
        role: frozenset(name for metric in registry.collect() for name in exposed(metric.name, metric.type))
        for role, registry in (await registries()).items()
    }
