"""The epochs of the topics, kept in a log that every role reads alike.

An offset means something only within its topic's epoch: the number a topic was given when it was made, in minutes
since 2020-01-01 UTC (raised where it would not be above all that is known). A record of the topic `touchline-epochs`
says: this topic has this epoch from now on, provided that it had epoch `after` (null: none) until now. Readers apply
the records in order and pass over those whose proviso does not hold; so of several that began one at once, the first in
the log stands, for everybody. The log stands beside the topics it speaks of: a broker that comes back empty has
neither.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Iterable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from pipeline.reachable import reachable, stop

EPOCHS = "touchline-epochs"
PARTITION = TopicPartition(EPOCHS, 0)
_ZERO_MINUTE = 26_297_280  # 2020-01-01T00:00Z in minutes since 1970


@dataclass(frozen=True)
class Epoch:
    """A topic's epoch, and Kafka's own id of the topic when it began ("" where the broker tells none)."""

    number: int
    topic_id: str = ""


@dataclass(frozen=True)
class Beginning:
    """A record of the log: `topic` has `epoch` from now on, if it had `after` until now."""

    topic: str
    epoch: int
    after: int | None
    topic_id: str = ""


def apply(known: MutableMapping[str, Epoch], key: bytes | None, value: bytes) -> None:
    """Apply the next record of the log to what is known by topic; one without a proviso, of old, always holds."""
    record = json.loads(value)
    topic = record.get("topic") or (key or b"").decode()
    before = known.get(topic)
    if "after" not in record or record["after"] == (before.number if before else None):
        known[topic] = Epoch(record["epoch"], record.get("topic_id", ""))


def minute_of(seconds: float) -> int:
    """Minutes since 2020-01-01 UTC, of seconds since 1970."""
    return int(seconds // 60) - _ZERO_MINUTE


def next_number(minute: int, *before: int | None) -> int:
    """A number for an epoch that begins now, above every one given."""
    return max(minute, *(number + 1 for number in before if number is not None), 0)


def is_of(epoch: Epoch | None, topic_id: str, *, just_made: bool) -> bool:
    """Tell whether the epoch known is that of the topic there is now; where no ids are told, of one not just made."""
    if epoch is None:
        return False
    if topic_id and epoch.topic_id:
        return topic_id == epoch.topic_id
    return not just_made


class EpochReader:
    """Follows the log; `known` holds the epochs by topic as of the last `follow`."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.known: dict[str, Epoch] = {}

    async def catch_up(self) -> None:
        """Read up to where the log ends now. Raises KafkaError."""
        end = (await self._consumer.end_offsets([PARTITION]))[PARTITION]
        while await self._consumer.position(PARTITION) < end:
            await self.follow(1.0)

    async def follow(self, seconds: float) -> None:
        """Read what there is, waiting that long for something. Raises KafkaError."""
        records: list[ConsumerRecord] = (await self._consumer.getmany(PARTITION, timeout_ms=int(seconds * 1000))).get(
            PARTITION, []
        )
        for record in records:
            apply(self.known, record.key, record.value)


@asynccontextmanager
async def epoch_reader(kafka_url: str) -> AsyncIterator[EpochReader]:
    """Open a reader that stands at the beginning. Raises UnavailableError when Kafka does not answer."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_url, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        async with reachable(kafka_url):
            await consumer.start()
        consumer.assign([PARTITION])
        yield EpochReader(consumer)
    finally:
        await stop(consumer)


async def read_epochs(kafka_url: str) -> dict[str, Epoch]:
    """The current epoch of every topic that has one."""
    async with epoch_reader(kafka_url) as reader:
        async with reachable(kafka_url):
            await reader.catch_up()
        return reader.known


async def epochs(kafka_url: str) -> dict[str, int]:
    """The number of the current epoch of every topic that has one."""
    return {topic: epoch.number for topic, epoch in (await read_epochs(kafka_url)).items()}


async def begin(kafka_url: str, beginnings: Iterable[Beginning]) -> None:
    """Write beginnings to the log; whether they hold, readers find out.

    Keys are unique, so that compaction, under which older installations keep the log, takes nothing away.
    """
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url, acks="all", enable_idempotence=True)
    try:
        async with reachable(kafka_url):
            await producer.start()
            for beginning in beginnings:
                value = json.dumps(asdict(beginning)).encode()
                await producer.send_and_wait(EPOCHS, value, uuid.uuid4().bytes, partition=0)
    finally:
        await producer.stop()


async def start_epoch(kafka_url: str, topic: str, after: int | None = None, above: int = 0) -> int:
    """Begin an epoch because the topic's log is not the one its offsets were written for; return the current one.

    The new number is above `above`. Whoever judged by an epoch that is over by now (`after`) begins nothing: another
    worker has noticed the same before.
    """
    known = (await read_epochs(kafka_url)).get(topic)
    current = known.number if known else None
    if known is not None and after is not None and after != known.number:
        return known.number
    number = next_number(minute_of(time.time()), current, above)
    await begin(kafka_url, [Beginning(topic, number, current, known.topic_id if known else "")])
    return (await epochs(kafka_url))[topic]
