"""Keeping what was taken in: in Kafka, and counted, before its sender is told so."""

from __future__ import annotations

import asyncio
import time

from pipeline.collector.intake import Intake, Taken
from pipeline.collector.metrics import Metrics
from pipeline.publisher import Publisher


class Keeper:
    """Hands the events of a request to Kafka."""

    def __init__(self, publisher: Publisher, intake: Intake, metrics: Metrics) -> None:
        self._publisher = publisher
        self._intake = intake
        self._metrics = metrics

    async def keep(self, taken: Taken, now: int, source: str) -> None:
        """Return when Kafka has acknowledged every accepted event and every dead letter.

        Raises UnavailableError when it could not in time; sending the same again is safe.
        """
        started = time.perf_counter()
        publish = self._publisher.publish
        if not taken.refused:
            await publish("touchpoints", taken.accepted)
        else:
            letters = self._intake.dead_letters(taken.refused, now, source)
            await asyncio.gather(publish("rejected", letters), publish("touchpoints", taken.accepted))
        self._metrics.acknowledged(time.perf_counter() - started, taken.channels, taken.refused)
        self._metrics.masked(taken.masked)
