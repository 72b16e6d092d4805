"""The metrics: named by convention, explained, and moved by what they count."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from agents.census import Census
from agents.delivery_metrics import DeliveryMetrics
from agents.insert_metrics import InsertMetrics
from pipeline.alerts.routes import Destination
from pipeline.errors import UnavailableError
from pipeline.validation import validate
from sinks.clickhouse import RefusedBlock
from tests.deploy.metrics_page import PAGE, page
from tests.deploy.registries import labels_of, registries

UNBOUNDED = {"customer_id", "anonymous_id", "event_id", "alert_id", "journey_id", "reference", "path"}


async def test_every_metric_is_named_by_convention_and_explained() -> None:
    for role, registry in (await registries()).items():
        for metric in registry.collect():
            assert re.fullmatch(r"(touchline|process)_[a-z_]+[a-z]", metric.name), (role, metric.name)
            assert not metric.name.endswith(("_total", "_ms", "_count")), (role, metric.name)
            assert len(metric.documentation) > 10, (role, metric.name)
            assert metric.type != "histogram" or metric.name.endswith("_seconds"), (role, metric.name)
            assert not UNBOUNDED & set(labels_of(metric)), (role, metric.name)


async def test_no_metric_is_without_a_value_and_shared_ones_mean_the_same() -> None:
    meanings: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for role, registry in (await registries()).items():
        for metric in registry.collect():
            assert metric.samples, (role, metric.name)
            meaning = metric.type, metric.documentation, labels_of(metric)
            assert meanings.setdefault(metric.name, meaning) == meaning, (role, metric.name)


async def test_the_page_of_metrics_is_what_the_roles_register() -> None:
    assert PAGE.read_text() == await page(), "write it anew: python -m tests.deploy.metrics_page"


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("touchline_records_landed_total", {"topic": "touchpoints"}, 9),
        ("touchline_records_refused_total", {"topic": "touchpoints", "code": "contract"}, 1),
        ("touchline_records_sent_total", {"topic": "journeys"}, 2),
        ("touchline_chunk_seconds_sum", {"topic": "touchpoints"}, 0.2),
        ("touchline_latency_seconds_sum", {"topic": "touchpoints"}, 2.0),
        ("touchline_inserted_bytes_total", {"topic": "touchpoints"}, 11),
        ("touchline_insert_failures_total", {"topic": "touchpoints", "reason": "unavailable"}, 1),
        ("touchline_lag_records", {"topic": "touchpoints", "partition": "0"}, 4),
        ("touchline_lag_seconds", {"topic": "touchpoints", "partition": "0"}, 5),
        ("touchline_customers", {"level": "high"}, 3),
        ("touchline_journeys_open", {}, 7),
    ],
)
async def test_what_landing_did_shows(name: str, labels: dict[str, str], value: float) -> None:
    assert (await registries())["landing"].get_sample_value(name, labels) == value


async def test_the_collector_counts_by_channel_and_reason() -> None:
    value = (await registries())["collector"].get_sample_value
    assert value("touchline_events_accepted_total", {"channel": "web"}) == 2
    assert value("touchline_events_rejected_total", {"channel": "web", "code": "time_naive"}) == 1


@pytest.mark.parametrize(
    ("channel", "known"),
    [("web", "web"), ("wbe", None), ("", None), (None, None), (["web"], None), ("x" * 10_000, None)],
)
def test_a_refusal_names_only_channels_of_the_catalogue(channel: Any, known: str | None) -> None:
    refused = validate({"customer_id": "c", "channel": channel, "touchpoint": "nothing"}, 0, "http")
    assert cast(Any, refused).channel == known


def test_failed_inserts_are_counted_by_why() -> None:
    registry = CollectorRegistry()
    inserts = InsertMetrics(registry)
    for error in (UnavailableError("away"), RefusedBlock(33, "no")):
        with pytest.raises(type(error)), inserts.insert("journeys", 5):
            raise error
    value = registry.get_sample_value
    assert value("touchline_insert_failures_total", {"topic": "journeys", "reason": "unavailable"}) == 1
    assert value("touchline_insert_failures_total", {"topic": "journeys", "reason": "refused"}) == 1
    assert value("touchline_inserted_bytes_total", {"topic": "journeys"}) is None


def test_a_destination_that_takes_nothing_shows_since_when() -> None:
    registry, now = CollectorRegistry(), [100.0]
    metrics = DeliveryMetrics(registry, {"crm": Destination("crm", "webhook", "")}, lambda: 0, clock=lambda: now[0])

    def failing() -> float | None:
        labels = {"destination": "crm", "kind": "webhook"}
        return registry.get_sample_value("touchline_alert_destination_failing_seconds", labels)

    assert failing() == 0
    metrics.attempted("crm", "failed")
    now[0] += 30
    metrics.attempted("crm", "given_up")
    assert failing() == 30
    metrics.attempted("crm", "delivered")
    assert failing() == 0


async def test_nothing_is_counted_while_clickhouse_is_away() -> None:
    class Away:
        gone = False

        async def query(self, _: str) -> list[tuple[str, str, int]]:
            if self.gone:
                raise UnavailableError("away")
            return [("customers", "high", 3), ("journeys", "", 7)]

    clickhouse, registry = Away(), CollectorRegistry()
    census = Census(cast(Any, clickhouse), registry)
    await census.take()
    assert registry.get_sample_value("touchline_journeys_open") == 7
    clickhouse.gone = True
    await census.take()
    assert registry.get_sample_value("touchline_journeys_open") is None
    assert registry.get_sample_value("touchline_customers", {"level": "high"}) is None
