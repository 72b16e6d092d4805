"""The Faust application of the delivery agent; of its own group, so that a slow destination holds up nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from agents.apps import chunked_app
from agents.chunked_app import ChunkedApp
from agents.delivery import TOPIC, Deliverer
from agents.senders import sender_of
from pipeline.alerts.plan import Plan
from pipeline.log_reader import log_reader
from pipeline.marks import Start
from pipeline.positions import committed, starts
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from pipeline.topics import DELIVERY_GROUP
from schemas.ids import LOCAL, Ids


def delivery_app(
    kafka_url: str, settings: Settings, epochs: dict[str, int], plan: Plan, ids: Ids = LOCAL
) -> tuple[ChunkedApp, Deliverer]:
    """Build the application, and what delivers. Raises ConfigurationError for a destination that cannot work."""
    app = chunked_app(DELIVERY_GROUP, kafka_url, settings, done="read")
    publisher = Publisher(kafka_url, settings.ack_timeout_seconds)

    def durable(topic: str, partition: int, position: int) -> None:
        app.consumer.durable(topic, partition, position)

    deliverer = Deliverer(
        plan, publisher, epoch=epochs[TOPIC], make_sender=sender_of, durable=durable, around=app, ids=ids
    )

    async def start_where(assigned: set[TP]) -> Mapping[TP, Start]:
        wanted = [TopicPartition(*tp) for tp in assigned]
        marks = await committed(kafka_url, DELIVERY_GROUP, wanted)
        found = await starts(kafka_url, epochs, marks, wanted)
        async with log_reader(kafka_url) as log:
            spans = await log.spans([TOPIC])
        ends = {tp.partition: span.end for tp, span in spans.items()}
        deliverer.begin({tp.partition: start.position for tp, start in found.items()}, ends)
        return {TP(*tp): start for tp, start in found.items()}

    app.starts = start_where
    app.releasing.append(deliverer.release)

    @app.agent(app.chunks_of(TOPIC), name="delivery")
    async def deliver(chunks: Any) -> None:
        with app.failing():
            async for chunk in chunks:
                await deliverer.take(chunk)

    app.closing += [deliverer.release, deliverer.close]
    return app, deliverer
