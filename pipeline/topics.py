"""The Kafka topics: their names, how they are made and kept, and that each has an epoch (see pipeline/epoch_log.py)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from pipeline.cluster import describe, metadata_client, until_known
from pipeline.epoch_log import (
    EPOCHS,
    Beginning,
    Epoch,
    begin,
    epochs,
    is_of,
    minute_of,
    next_number,
    read_epochs,
    start_epoch,
)
from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.reachable import reachable

__all__ = ["ALL", "LANDED", "Making", "ensure", "epochs", "partition_counts", "reachable", "start_epoch"]

CUSTOMERS_GROUP = "touchline-customers"
LANDING_GROUP = "touchline-landing"
ALERTS_GROUP = "touchline-alerts"
DELIVERY_GROUP = "touchline-delivery"


def changelog_of(group: str) -> str:
    """The topic that keeps the states of an agent's group."""
    return f"{group}-state-changelog"


CHANGELOG = changelog_of(CUSTOMERS_GROUP)
ALERTS_CHANGELOG = changelog_of(ALERTS_GROUP)
FORGOTTEN = "forgotten"
"""Keyed hashes of the customers who were forgotten (see pipeline/forgotten.py)."""

_POLL_SECONDS = 0.05
_FOR_EVER = -1
_COMPACTED_WITHIN_MS = 24 * 3_600_000
"""How long a compacted topic may keep what a tombstone has deleted; Kafka's own default is for as long as it likes."""


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
    Topic("alerts", "delete"),
)
ALL = (*LANDED, Topic(CHANGELOG, "compact"), Topic(ALERTS_CHANGELOG, "compact"), Topic(FORGOTTEN, "compact", False))
_EPOCHS = Topic(EPOCHS, "delete", keyed=False)
COMPACTED = frozenset(topic.name for topic in ALL if topic.cleanup == "compact")


@dataclass(frozen=True)
class Making:
    """What new topics are made with; existing ones are left as they are."""

    partitions: int
    replication_factor: int = 1
    retention_hours: int = 168


async def _nothing() -> int:
    return 0


async def ensure(
    kafka_url: str, making: Making, highest_epoch: Callable[[], Awaitable[int]] = _nothing
) -> dict[str, int]:
    """Make the topics that are missing, begin an epoch for each that was made anew, and return all epochs by topic.

    `highest_epoch` is asked when epochs begin, and all are above its answer: ClickHouse remembers epochs that a Kafka
    which lost everything has forgotten. Several may do this at once: all return the same epochs. Raises
    ConfigurationError when the keyed topics differ in their partition counts (they are fixed for life) and
    UnavailableError when Kafka does not answer.
    """
    async with _admin(kafka_url) as admin:
        made = {topic.name for topic in (*ALL, _EPOCHS) if await _make(admin, topic, making)}
        await _until_led(admin)
        await _check_partitions(admin)
    async with metadata_client(kafka_url) as client, reachable(kafka_url):
        ids = (await describe(client, [topic.name for topic in ALL])).topics
    known = await read_epochs(kafka_url)
    if absent := {name: ids.get(name, "") for name in _without_epoch(known, ids, made)}:
        highest = await highest_epoch()
        await begin(kafka_url, [_beginning(name, known.get(name), its_id, highest) for name, its_id in absent.items()])
    return await epochs(kafka_url) if absent else {name: epoch.number for name, epoch in known.items()}


def _without_epoch(known: Mapping[str, Epoch], ids: Mapping[str, str], made: set[str]) -> list[str]:
    return [
        topic.name
        for topic in ALL
        if not is_of(known.get(topic.name), ids.get(topic.name, ""), just_made=topic.name in made)
    ]


def _beginning(name: str, before: Epoch | None, topic_id: str, highest: int) -> Beginning:
    after = before.number if before else None
    return Beginning(name, next_number(minute_of(time.time()), after, highest), after, topic_id)


async def partition_counts(kafka_url: str, names: Iterable[str]) -> dict[str, int]:
    """How many partitions each of the topics has; topics that do not exist are left out."""
    async with _admin(kafka_url) as admin:
        return await _counts(admin, names)


async def _counts(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    described = await admin.describe_topics(list(names))
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


async def _until_led(admin: AIOKafkaAdminClient) -> None:
    """Wait until every partition has a leader: a topic just made cannot be read or written before."""
    names = [topic.name for topic in (*ALL, _EPOCHS)]
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
        config["retention.ms"] = str(_FOR_EVER if topic is _EPOCHS else making.retention_hours * 3_600_000)
    else:
        config["max.compaction.lag.ms"] = str(_COMPACTED_WITHIN_MS)
    partitions = 1 if topic is _EPOCHS else making.partitions
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
    try:
        async with reachable(kafka_url):
            await admin.start()
            await until_known(admin._client)
        async with reachable(kafka_url):
            yield admin
    finally:
        await admin.close()
