"""Counts what only ClickHouse knows as a whole, for Prometheus: customers by level of risk, and open journeys.

One worker of all counts: the one that lands the first partition of topic `customers`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from pipeline.errors import TouchlineError
from sinks import sql
from sinks.clickhouse import Client

log = logging.getLogger(__name__)

ROUND_SECONDS = 60.0
FIRST = ("customers", 0)


class Census(Collector):
    """The counts of the last round; none while another worker counts, or ClickHouse cannot say."""

    def __init__(self, client: Client, registry: CollectorRegistry) -> None:
        self._client = client
        self._levels: Mapping[str, int] = {}
        self._open: int | None = None
        registry.register(self)

    async def take(self) -> None:
        """Count now; what cannot be counted is not shown."""
        try:
            rows = await self._client.query(sql.query("census"))
        except TouchlineError as error:
            log.warning("customers and journeys are not counted: %s", error)
            self.forget()
            return
        self._levels = {level: number for what, level, number in rows if what == "customers"}
        self._open = sum(number for what, _, number in rows if what == "journeys")

    def forget(self) -> None:
        """Show nothing until the next round."""
        self._levels, self._open = {}, None

    async def run(self, is_ours: Callable[[], bool], seconds: float = ROUND_SECONDS) -> NoReturn:
        """Count every round for as long as it is for us to do."""
        while True:
            if is_ours():
                await self.take()
            else:
                self.forget()
            await asyncio.sleep(seconds)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The counts as gauges."""
        text = "Known customers by level of risk, as of each one's last touchpoint"
        customers = GaugeMetricFamily("touchline_customers", text, labels=["level"])
        for level, number in self._levels.items():
            customers.add_metric([level], number)
        yield customers
        journeys = GaugeMetricFamily("touchline_journeys_open", "Journeys that a touchpoint of now would extend")
        if self._open is not None:
            journeys.add_metric([], self._open)
        yield journeys
