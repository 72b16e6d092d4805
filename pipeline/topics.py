"""The Kafka topics: their names, how they are kept, and the epoch of each.

An offset means something only within its topic's epoch: the number a topic was given when it was made, in minutes
since 2020-01-01 UTC (raised where two would be equal). Epochs stand in the compacted topic `touchline-epochs`, beside
the topics they speak of, so that a broker that comes back empty has neither and new ones are given out.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from pipeline.errors import ConfigurationError, UnavailableError

CUSTOMERS_GROUP = "touchline-customers"
LANDING_GROUP = "touchline-landing"
CHANGELOG = f"{CUSTOMERS_GROUP}-state-changelog"
EPOCHS = "touchline-epochs"

_POLL_SECONDS = 0.05
_ZERO_MINUTE = 26_297_280  # 2020-01-01T00:00Z in minutes since 1970


@dataclass(frozen=True)
class Topic:
    """How one topic is made. `keyed` topics share their partition count, so that one customer is one partition."""

    name: str
    cleanup: Literal["delete", "compact"]
    keyed: bool = True


LANDED = (
    Topic("touchpoints", "delete"),
    Topic("journeys", "delete"),
    Topic("customers", "compact"),
    Topic("risk", "delete"),
    Topic("late", "delete"),
    Topic("rejected", "delete", keyed=False),
    Topic("alerts", "delete", keyed=False),
)
ALL = (*LANDED, Topic(CHANGELOG, "compact"))


@dataclass(frozen=True)
class Making:
    """What new topics are made with; existing ones are left as they are."""

    partitions: int
    replication_factor: int = 1
    retention_hours: int = 168


async def ensure(kafka_url: str, making: Making) -> dict[str, int]:
    """Make the topics that are missing, give each an epoch, and return all epochs by topic.

    Raises ConfigurationError when the keyed topics differ in their partition counts (they are fixed for life) and
    UnavailableError when Kafka does not answer.
    """
    async with _admin(kafka_url) as admin:
        made = [topic.name for topic in (*ALL, Topic(EPOCHS, "compact")) if await _make(admin, topic, making)]
        if made:
            await _until_led(admin)
        await _check_partitions(admin)
    known = await epochs(kafka_url)
    absent = [topic.name for topic in ALL if topic.name in made or topic.name not in known]
    if absent:
        await _record(kafka_url, {name: next_epoch(known.get(name)) for name in absent})
        known = await epochs(kafka_url)
    return known


def next_epoch(previous: int | None) -> int:
    """A number for a topic made now, above the previous one."""
    now = int(time.time() // 60) - _ZERO_MINUTE
    return now if previous is None else max(now, previous + 1)


async def start_epoch(kafka_url: str, topic: str) -> int:
    """Give a topic a new epoch, because its log is not the one its offsets were written for."""
    known = await epochs(kafka_url)
    await _record(kafka_url, {topic: next_epoch(known.get(topic))})
    return (await epochs(kafka_url))[topic]


async def epochs(kafka_url: str) -> dict[str, int]:
    """The current epoch of every topic that has one."""
    found: dict[str, int] = {}
    partition = TopicPartition(EPOCHS, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_url, enable_auto_commit=False, auto_offset_reset="earliest")
    async with reachable(kafka_url):
        await consumer.start()
    try:
        consumer.assign([partition])
        async with reachable(kafka_url):
            end = (await consumer.end_offsets([partition]))[partition]
            while await consumer.position(partition) < end:
                for record in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
                    found[record.key.decode()] = json.loads(record.value)["epoch"]
    finally:
        await consumer.stop()
    return found


async def _record(kafka_url: str, given: dict[str, int]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url, acks="all", enable_idempotence=True)
    async with reachable(kafka_url):
        await producer.start()
        try:
            for name, epoch in given.items():
                await producer.send_and_wait(EPOCHS, json.dumps({"epoch": epoch}).encode(), name.encode(), partition=0)
        finally:
            await producer.stop()


async def partition_counts(kafka_url: str, names: Iterable[str]) -> dict[str, int]:
    """How many partitions each of the topics has; topics that do not exist are left out."""
    async with _admin(kafka_url) as admin:
        return await _counts(admin, names)


async def _counts(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    described = await admin.describe_topics(list(names))
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


async def _until_led(admin: AIOKafkaAdminClient) -> None:
    """Wait until every partition has a leader: a topic just made cannot be read or written before."""
    names = [topic.name for topic in (*ALL, Topic(EPOCHS, "compact"))]
    while True:
        described = await admin.describe_topics(names)
        if all(
            topic["error_code"] == 0 and all(part["leader"] >= 0 for part in topic["partitions"]) for topic in described
        ):
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _check_partitions(admin: AIOKafkaAdminClient) -> None:
    counts = await _counts(admin, [topic.name for topic in ALL if topic.keyed])
    if len(set(counts.values())) > 1:
        raise ConfigurationError(f"these topics must have one partition count, fixed for life: {counts}")


async def _make(admin: AIOKafkaAdminClient, topic: Topic, making: Making) -> bool:
    """Make the topic unless it exists; True when this call made it."""
    config = {"cleanup.policy": topic.cleanup, "min.insync.replicas": str(min(2, making.replication_factor))}
    if topic.cleanup == "delete":
        config["retention.ms"] = str(making.retention_hours * 3_600_000)
    partitions = 1 if topic.name == EPOCHS else making.partitions
    new = NewTopic(topic.name, partitions, making.replication_factor, topic_configs=config)
    response = await admin.create_topics([new])
    code = response.topic_errors[0][1]
    if code == 0:
        return True
    if for_code(code) is TopicAlreadyExistsError:
        return False
    raise UnavailableError(f"Kafka could not make topic {topic.name}: {for_code(code).__name__}")


@asynccontextmanager
async def _admin(kafka_url: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    async with reachable(kafka_url):
        await admin.start()
    try:
        async with reachable(kafka_url):
            yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def reachable(kafka_url: str, within: float = 60.0) -> AsyncIterator[None]:
    """Run a block that talks to Kafka; whatever it raises about Kafka, or time-out, becomes UnavailableError."""
    try:
        async with asyncio.timeout(within):
            yield
    except (KafkaError, TimeoutError) as error:
        raise UnavailableError(f"Kafka at {kafka_url} did not answer ({error!r}): is it running?") from error
