"""Topics and a database for the audit, and the little that fills them: it does what it is told, mistakes too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.audit import Audit, audit
from pipeline.customer import Folded, Rules, Touch, fold, touch_of
from pipeline.log_reader import Span, log_reader
from pipeline.settings import Settings
from pipeline.state import State
from pipeline.topics import CUSTOMERS_GROUP, Making, ensure
from schemas.block import bodies, container
from schemas.codec import Decoder, Encoder
from schemas.contracts import latest
from sinks import ledger
from sinks.clickhouse import Client, connect
from sinks.ledger import Landed
from sinks.migrate import migrate
from tests.integration.sinks_samples import MAKE, Sample, uid

PARTITIONS = 2
RULES = Rules.of(Settings())


@dataclass
class World:
    """A stack of its own, and a lander of a few lines that does what it is told."""

    kafka_url: str
    client: Client
    epochs: dict[str, int]
    states: dict[str, State] = field(default_factory=dict)
    applied: dict[TopicPartition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._decode = Decoder("touchpoints")

    async def send(self, topic: str, samples: Sequence[Sample | bytes], partition: int = 0) -> None:
        """Send in one transaction, whose marker leaves a gap behind the records."""
        encode = Encoder(topic)
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka_url, transactional_id=f"test-{time.time_ns()}")
        await producer.start()
        try:
            async with producer.transaction():
                for number, sample in enumerate(samples):
                    value = sample if isinstance(sample, bytes) else encode(sample)
                    await producer.send(topic, value, str(number).encode(), partition)
        finally:
            await producer.stop()

    async def land(self, topic: str, skip: Sequence[int] = (), refused: Sequence[int] = ()) -> None:
        """Land everything from the marks on; `skip` is left out in silence, `refused` becomes dead letters."""
        marks = await ledger.marks(self.client, topic, self.epochs[topic])
        async with log_reader(self.kafka_url) as log:
            for tp, span in (await log.spans([topic])).items():
                first = max(span.first, marks.get(tp.partition, 0))
                records: list[Any] = []
                async for batch in log.records({tp: Span(first, span.end)}):
                    records += batch
                await self._land(tp, Span(first, span.end), records, skip, refused)

    async def _land(
        self, tp: TopicPartition, span: Span, records: list[Any], skip: Sequence[int], refused: Sequence[int]
    ) -> None:
        kept = [record for record in records if record.offset not in {*skip, *refused}]
        if kept:
            parts = bodies(self.epochs[tp.topic], tp.partition, kept)
            block = container(latest(tp.topic), len(kept), parts)
            await self.client.insert_avro(f"{tp.topic}_log", block, f"{tp}-{span}")
        out = sum(record.offset in refused for record in records)
        if records:
            entry = Landed(tp.topic, self.epochs[tp.topic], tp.partition, span.first, span.end, len(records) - out, out)
            await ledger.record(self.client, [entry])

    async def land_all(self) -> None:
        for topic in MAKE:
            await self.land(topic)

    async def fold(self, skip: Sequence[int] = (), publish: bool = True) -> None:
        """Do what the customers agent does, in one chunk, and commit; the offsets of `skip` are passed over."""
        async with log_reader(self.kafka_url) as log:
            for tp, span in (await log.spans(["touchpoints"])).items():
                groups: dict[str, list[Touch]] = {}
                async for batch in log.records({tp: Span(self.applied.get(tp, span.first), span.end)}):
                    for record in batch:
                        if record.offset not in skip:
                            touch = touch_of(record.offset, self._decode(record.value))
                            groups.setdefault(touch.record["customer_id"], []).append(touch)
                made = [self._folded(customer, touches) for customer, touches in groups.items()]
                if publish:
                    await self.send("customers", [each.customer for each in made if each.customer], tp.partition)
                    await self.send("late", [row for each in made for row in each.late], tp.partition)
                self.applied[tp] = span.end
                await commit(self.kafka_url, tp, span.end)

    def _folded(self, customer: str, touches: Sequence[Touch]) -> Folded:
        folded = fold(customer, self.states.get(customer), self.epochs["touchpoints"], touches, RULES)
        if folded is None:
            return Folded(self.states[customer], [], None, [], [])
        self.states[customer] = folded.state
        return folded

    async def audit(self, **options: Any) -> Audit:
        return await audit(self.kafka_url, self.client, **{"wait_seconds": 0.3, **options})


@asynccontextmanager
async def opened(stack: Any, name: str) -> AsyncIterator[World]:
    """Topics made anew and an empty database."""
    await _drop_topics(stack.kafka_url)
    epochs = await ensure(stack.kafka_url, Making(PARTITIONS))
    database = "audit_" + uid(name)[:8]
    async with await connect(
        stack.clickhouse_url, stack.clickhouse_user, stack.clickhouse_password, database
    ) as client:
        await migrate(client, Settings())
        yield World(stack.kafka_url, client, epochs)


async def _drop_topics(kafka_url: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        for topic in MAKE:
            with suppress(Exception):
                await admin.delete_topics([topic])
        while set(await admin.list_topics()) & set(MAKE):
            pass
    finally:
        await admin.close()


async def commit(kafka_url: str, tp: TopicPartition, offset: int) -> None:
    """Commit as the customers agent does."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_url, group_id=CUSTOMERS_GROUP, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([tp])
    await consumer.commit({tp: offset})
    await consumer.stop()
