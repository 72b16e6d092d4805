"""Whether a worker gets on with its work, and if not, why, in words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

from aiokafka.errors import KafkaError

from agents.flow import Flow, Partition
from agents.metrics import Metrics, Standing
from agents.waits import Waits

KAFKA_SECONDS = 2.0


class Worker(Protocol):
    """The part of a `ChunkedApp` that this looks at."""

    flow: Flow
    waits: Waits
    metrics: Metrics
    settled: bool

    async def ends(self) -> Mapping[Partition, int]:
        """Where the logs of the assigned partitions end now."""


class Health:
    """Looks at a worker when asked; between two looks it costs nothing."""

    def __init__(self, worker: Worker, ready_after_seconds: float) -> None:
        self._worker = worker
        self._limit = ready_after_seconds
        self._ends: Mapping[Partition, int] = {}
        self._behind: dict[Partition, tuple[int, float]] = {}
        self._asking = asyncio.Lock()

    async def look(self) -> list[str]:
        """Why the worker is not ready, in words; empty when it is. Also brings its metrics up to date."""
        async with self._asking:
            answered = await self._ask()
            standing = self._stand()
            reasons = self._reasons(standing, answered)
        standing.ready = not reasons
        self._worker.metrics.standing = standing
        return reasons

    async def _ask(self) -> bool:
        """Learn where the logs end; False when Kafka does not say so in time, and the last answer is kept."""
        if not self._worker.settled:
            return True
        try:
            async with asyncio.timeout(KAFKA_SECONDS):
                self._ends = await self._worker.ends()
        except (KafkaError, TimeoutError):
            return False
        return True

    def _stand(self) -> Standing:
        flow, waits = self._worker.flow, self._worker.waits.longest()
        reached, oldest = flow.reached(), flow.oldest()
        now, clock = time.time(), time.monotonic()
        lag = {partition: max(0, self._ends.get(partition, 0) - position) for partition, position in reached.items()}
        ages: dict[Partition, float] = {}
        for partition, count in lag.items():
            unread = self._unread_seconds(partition, reached[partition], clock) if count else 0.0
            ages[partition] = max(0.0, now - oldest[partition] / 1000) if partition in oldest else unread
        return Standing(
            lag_records=lag,
            lag_seconds=ages,
            waiting_seconds={what: seconds for what, (seconds, _) in waits.items()},
            held_bytes=flow.held_bytes(),
            stopped=flow.stopped(),
        )

    def _unread_seconds(self, partition: Partition, position: int, clock: float) -> float:
        """For how long nothing has moved in a partition that is behind; its records are not here to tell their age."""
        known = self._behind.get(partition)
        if known is None or known[0] != position:
            known = self._behind[partition] = (position, clock)
        return clock - known[1]

    def _reasons(self, standing: Standing, answered: bool) -> list[str]:
        reasons = [] if self._worker.settled else ["recovering: partitions are being assigned and their states read"]
        if not answered:
            reasons.append("Kafka does not answer")
        reasons += [why for _, why in sorted(standing.stopped.items())]
        for what, (seconds, why) in sorted(self._worker.waits.longest().items()):
            if seconds > self._limit:
                reasons.append(f"{what} since {seconds:.0f} s: {why}")
        late = {place: age for place, age in standing.lag_seconds.items() if age > self._limit}
        for (topic, partition), age in sorted(late.items()):
            if (topic, partition) not in standing.stopped:
                reasons.append(f"lag: the oldest record not applied of {topic}-{partition} waits for {age:.0f} s")
        return reasons
