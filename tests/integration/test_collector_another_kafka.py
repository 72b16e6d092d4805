"""A Kafka that comes back empty gives out producer ids from the beginning: no acknowledged event may fall to that."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

from pipeline.local.child import Child
from pipeline.local.kafka import Kafka
from pipeline.local.server import free_port
from pipeline.publisher import Publisher
from pipeline.topics import Making, ensure
from pipeline.validation import validate
from schemas.codec import Encoder
from tests.integration.collector_process import GOOD, held


async def started(kafka: Kafka) -> Child:
    await kafka.prepare()
    child = Child.start("kafka", kafka.command(), kafka.log, kafka.environment())
    while not await kafka.ready():
        assert child.alive, child.tail(5)
        await asyncio.sleep(0.05)
    await ensure(f"127.0.0.1:{kafka.port}", Making(1))
    return child


async def test_all_that_is_acknowledged_afterwards_is_there(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka", free_port(), free_port())
    url = f"127.0.0.1:{kafka.port}"
    encode = Encoder("touchpoints")

    def message(number: int) -> tuple[bytes, bytes]:
        record = validate({**GOOD, "reference": str(number)}, 2_000_000_000_000, "http")
        assert isinstance(record, dict)
        return b"c-1", encode(record)

    child = await started(kafka)
    old, new = Publisher(url, 30), Publisher(url, 30)
    try:
        for number in range(5):
            await old.publish("touchpoints", [message(number)])
        child.signal(signal.SIGKILL)
        await child.wait()
        await child.stop()
        shutil.rmtree(kafka.folder)
        child = await started(kafka)
        for number in range(100, 105):  # the new one reaches the sequence number that the old one goes on with
            await new.publish("touchpoints", [message(number)])
        for number in range(200, 205):
            await old.publish("touchpoints", [message(number)])
            await new.publish("touchpoints", [message(number + 100)])
        found = {record["reference"] for record in await held(url, "touchpoints")}
        assert found == {str(number) for start in (100, 200, 300) for number in range(start, start + 5)}
    finally:
        await old.stop()
        await new.stop()
        await child.stop()
