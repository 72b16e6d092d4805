"""The delivery agent: from topic `alerts` to the destinations, at least once each, under the alert's own id."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from agents.chunk import Chunk
from agents.courier import Courier, Sender, now_ms
from agents.delivery_metrics import DeliveryMetrics
from agents.surroundings import Surroundings
from pipeline.alerts.backlog import Backlog, Delivery
from pipeline.alerts.plan import Plan
from pipeline.alerts.records import attempt_record
from pipeline.alerts.retries import Outcome
from pipeline.alerts.routes import Destination
from pipeline.errors import UnavailableError
from pipeline.lanes import Message
from pipeline.letters import UNDELIVERABLE
from pipeline.model import FieldError, LogPosition, Record, Rejected, dead_letter, derived_id
from pipeline.publisher import Publisher
from pipeline.requests import is_request
from schemas.codec import Decoder, Encoder, UndecodableError
from schemas.ids import LOCAL, Ids

log = logging.getLogger(__name__)

TOPIC = "alerts"
SOURCE = "delivery"
_SETTLE_SECONDS = 3.0
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


class Deliverer:
    """Keeps the backlog of its partitions and one courier per destination.

    Nothing is sent for a partition before its log has been read to where it ended at the assignment: so what was
    delivered before is known. Every attempt is a record of the topic, and only once Kafka has acknowledged it is the
    delivery closed; the position to commit is that of the lowest record that has one open.
    """

    def __init__(  # noqa: PLR0913 (what it depends on, each once)
        self,
        plan: Plan,
        publisher: Publisher,
        *,
        epoch: int,
        make_sender: Callable[[Destination], Sender],
        durable: Callable[[str, int, int], None],
        around: Surroundings,
        ids: Ids = LOCAL,
    ) -> None:
        self._backlog = Backlog(plan)
        self._publisher = publisher
        self._epoch = epoch
        self._durable = durable
        self._around = around
        self._ids = ids
        self._decode = Decoder(TOPIC, ids)
        self._encode = Encoder(TOPIC, ids)
        self._encode_rejected = Encoder("rejected", ids)
        self._couriers = {
            name: Courier(destination, make_sender(destination), self.report)
            for name, destination in plan.destinations.items()
        }
        self._metrics = DeliveryMetrics(around.metrics.registry, plan.destinations, lambda: len(self._backlog))
        self._reading: dict[int, int] = {}
        self._waiting: dict[int, list[Delivery]] = {}

    def begin(self, positions: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Read these partitions from here on, and send once what stood there before `ends` has been read."""
        self._backlog.begin(positions)
        self._reading = {partition: ends[partition] for partition, at in positions.items() if at < ends[partition]}
        self._waiting = {partition: [] for partition in positions}

    async def take(self, chunk: Chunk) -> None:
        """Take in a chunk of the log."""
        started = time.monotonic()
        decoded = [await self._decoded(each.value) for each in chunk.records]
        if not self._backlog.owns(chunk.partition) or not self._around.flow.holds(chunk):
            self._around.flow.dropped(chunk)
            return
        opened = self._waiting[chunk.partition]
        for each, record in zip(chunk.records, decoded, strict=True):
            if record is not None:
                opened += self._backlog.read(chunk.partition, each.offset, record)
            elif is_request(each.value) and each.key is not None:
                self._backlog.forget(chunk.partition, each.key.decode())
        self._backlog.passed(chunk.partition, chunk.next)
        if chunk.next >= self._reading.get(chunk.partition, 0):
            self._reading.pop(chunk.partition, None)
            self._hand_over(chunk.partition)
        self._around.flow.applied(chunk)
        self._around.metrics.applied(TOPIC, len(chunk.records), time.monotonic() - started)
        self._note(chunk.partition)

    async def run(self) -> NoReturn:
        """Let the couriers work."""
        async with asyncio.TaskGroup() as group:
            for courier in self._couriers.values():
                group.create_task(courier.run())
        raise AssertionError("couriers work until they are cancelled")

    async def release(self) -> None:
        """Begin nothing more, and wait a moment for the attempts under way."""
        self._backlog.begin({})
        self._reading, self._waiting = {}, {}
        await asyncio.gather(*(courier.settle(_SETTLE_SECONDS) for courier in self._couriers.values()))

    async def close(self) -> None:
        """Let go of the destinations and of Kafka."""
        await asyncio.gather(*(courier.close() for courier in self._couriers.values()))
        await self._publisher.stop()

    async def report(self, delivery: Delivery, outcome: Outcome, given_up: bool) -> None:
        """Write down what an attempt came to; close the delivery if it was the last."""
        if delivery.forgotten:
            return
        now = now_ms()
        status = "delivered" if outcome.error is None else "given_up" if given_up else "failed"
        attempt = attempt_record(
            delivery.alert, delivery.destination, delivery.attempts, status=status, error=outcome.error, at=now
        )
        value = self._encode(attempt)
        if given_up:
            where = {"alert": str(delivery.key[0]), "destination": delivery.destination, "attempts": delivery.attempts}
            log.warning("given up: %s", outcome.error, extra=where)
            await self._publish("rejected", (None, self._undeliverable(delivery, value, outcome, now)))
        await self._publish(TOPIC, (delivery.alert["customer_id"].encode(), value), delivery.partition)
        self._metrics.attempted(delivery.destination, status)
        if status != "failed" and not delivery.done:
            self._backlog.finish(delivery.key)
            self._note(delivery.partition)

    def _hand_over(self, partition: int) -> None:
        for delivery in self._waiting[partition]:
            if not delivery.done:
                self._couriers[delivery.destination].add([delivery])
        self._waiting[partition] = []

    def _note(self, partition: int) -> None:
        self._durable(TOPIC, partition, self._backlog.position(partition))

    async def _decoded(self, value: bytes | None) -> Record | None:
        """The record; None for what landing refuses. While the registry is out of reach, waits."""
        tries = 0
        while True:
            try:
                await self._ids.meet(TOPIC, [value])
                return self._decode(value)
            except UndecodableError:
                return None
            except UnavailableError as error:
                log.warning("delivery waits: %s", error)
                await asyncio.sleep(_BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS) - 1)])
                tries += 1

    async def _publish(self, topic: str, message: Message, partition: int | None = None) -> None:
        """Return once Kafka has it, however long that takes."""
        with self._around.waits.waiting("what became of an attempt waits for Kafka") as wait:
            while True:
                try:
                    await self._publisher.publish(topic, [message], partition)
                except UnavailableError as error:
                    wait.why = str(error)
                    await asyncio.sleep(_BACKOFF_SECONDS[0])
                else:
                    return

    def _undeliverable(self, delivery: Delivery, value: bytes, outcome: Outcome, now: int) -> bytes:
        why = f"{delivery.destination} did not take it in {delivery.attempts} attempts: {outcome.error}"
        refused = Rejected((FieldError(UNDELIVERABLE, f"destinations.{delivery.destination}", why),), value)
        position = LogPosition(TOPIC, self._epoch, delivery.partition, delivery.offset)
        letter = dead_letter(refused, SOURCE, now, position)
        return self._encode_rejected(
            {**letter, "dead_letter_id": derived_id(UNDELIVERABLE, letter["dead_letter_id"], delivery.destination)}
        )
