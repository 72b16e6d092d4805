"""A key at half and at twice its limit, in turns: what is refused, how long the accepted take, and memory."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.collector import key_file
from pipeline.collector.new_key import Wish, make
from pipeline.log_reader import log_reader
from tests.bench.child import figures_of
from tests.bench.report import median, tell
from tests.fault.straight import Watched
from tests.integration.collector_process import broker, collector

RATE = 2_000
BATCH = 10
ROUNDS = 3
SECONDS = 20


@dataclass
class Limited:
    """What came back at half the limit and at twice the limit, round by round."""

    half: list[dict[str, Any]] = field(default_factory=list)
    twice: list[dict[str, Any]] = field(default_factory=list)
    memory_before_mb: float = 0
    memory_peak_mb: float = 0
    in_kafka: int = 0

    @property
    def accepted(self) -> int:
        """Events answered 200, in all."""
        return sum(each["events_accepted"] for each in (*self.half, *self.twice))

    def p99_ms(self) -> tuple[float, float]:
        """The median of the rounds' 99th percentiles at half and at twice the limit."""
        half, twice = (median([each["p99_ms"] for each in some]) for some in (self.half, self.twice))
        return half, twice


async def measure(folder: Path, *, rounds: int, seconds: float, rate: float = RATE) -> Limited:
    """Run a collector with one limited key; a minute at twice the limit is 3 rounds of 20 s."""
    secret, key = make(Wish("limited", rate=rate), datetime.now(UTC))
    keys = folder / "keys.json"
    key_file.write(keys, (key,))
    found = Limited()
    async with (
        broker(folder / "kafka") as kafka,
        collector(kafka.url, folder / "collector", write_keys="", keys_file=str(keys)) as running,
    ):

        async def load(share: float) -> dict[str, Any]:
            paced = ("--rate", str(rate * share), "--batch", str(BATCH), "--seconds", str(seconds))
            return await figures_of("paced_load", running.url, secret, *paced)

        found.half.append(await load(0.5))
        found.half.clear()
        warm = await _count(kafka.url)
        async with Watched(running.child.pid) as memory:
            for _ in range(rounds):
                found.half.append(await load(0.5))
                found.twice.append(await load(2))
        found.memory_before_mb, found.memory_peak_mb = memory.start, memory.peak
        found.in_kafka = await _count(kafka.url) - warm
    return found


async def _count(kafka_url: str) -> int:
    async with log_reader(kafka_url) as log:
        return sum(span.end - span.first for span in (await log.spans(["touchpoints"])).values())


async def run() -> None:
    """Measure at full length and print."""
    with tempfile.TemporaryDirectory() as folder:
        found = await measure(Path(folder), rounds=ROUNDS, seconds=SECONDS)
    half, twice = found.p99_ms()
    tell(
        "a key at half and at twice its limit",
        limit_events_per_s=RATE,
        seconds_at_twice=ROUNDS * SECONDS,
        requests_at_twice=sum(each["requests"] for each in found.twice),
        refused_429=sum(each["refused"] for each in found.twice),
        other_answers=sum(each["other"] for each in (*found.half, *found.twice)),
        refused_at_half=sum(each["refused"] for each in found.half),
        accepted_events=found.accepted,
        events_in_kafka=found.in_kafka,
        p99_ms_at_half=half,
        p99_ms_at_twice=twice,
        p99_times=twice / half,
        p50_ms_at_half=median([each["p50_ms"] for each in found.half]),
        p50_ms_at_twice=median([each["p50_ms"] for each in found.twice]),
        memory_before_mb=found.memory_before_mb,
        memory_peak_mb=found.memory_peak_mb,
    )
