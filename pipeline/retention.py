"""By when the topics will have lost what they hold now, as Kafka is set up to let go of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.reachable import reachable

_KEPT_FOR_EVER = "-1"
_DAY = 86_400_000
_USUAL: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "retention.ms": str(7 * _DAY),
    "segment.ms": str(7 * _DAY),
    "max.compaction.lag.ms": str((1 << 63) - 1),
    "delete.retention.ms": str(_DAY),
}
"""Kafka's own defaults, for a broker that does not say."""


def let_go_after(config: Mapping[str, str]) -> timedelta | None:
    """How long a record, or what a tombstone has deleted, may still lie in a topic's files; None: for ever.

    A file of the log (a segment) goes as a whole, `retention.ms` after its last record, and takes records for up to
    `segment.ms`. Of a compacted topic the cleaner must have come by within `max.compaction.lag.ms`.
    """
    known = {**_USUAL, **config}
    if "compact" in known["cleanup.policy"]:
        milliseconds = int(known["max.compaction.lag.ms"])
    elif known["retention.ms"] == _KEPT_FOR_EVER:
        return None
    else:
        milliseconds = int(known["retention.ms"]) + int(known["segment.ms"])
    return timedelta(milliseconds=milliseconds) if milliseconds < 36_500 * _DAY else None


async def let_go_by(kafka_url: str, topics: Iterable[str], now: datetime) -> dict[str, datetime | None]:
    """By topic, the moment by which it will have lost what it holds at `now`; None: never, as it is set up."""
    return {topic: _at(now, let_go_after(config)) for topic, config in (await _configs(kafka_url, topics)).items()}


def _at(now: datetime, after: timedelta | None) -> datetime | None:
    return None if after is None else now.astimezone(UTC) + after


async def _configs(kafka_url: str, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    try:
        async with reachable(kafka_url):
            await admin.start()
            asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
            answers = await admin.describe_configs(asked)
    finally:
        await admin.close()
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4] if entry[1] is not None}
        for answer in answers
        for resource in answer.resources
    }
