"""The Faust application that lands every topic; of its own group, so that it may wait while journeys go on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP

from agents.apps import chunked_app
from agents.chunked_app import ChunkedApp
from agents.landing import Lander, Limits
from pipeline import forgotten_log
from pipeline.forgotten import Register
from pipeline.marks import Start
from pipeline.positions import starts
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from pipeline.topics import LANDED, LANDING_GROUP
from schemas.ids import LOCAL, Ids
from sinks.clickhouse import Client


def landing_app(
    kafka_url: str, settings: Settings, epochs: dict[str, int], client: Client, ids: Ids = LOCAL
) -> tuple[ChunkedApp, dict[str, Lander]]:
    """Build the application, and its landers by topic."""
    app = chunked_app(LANDING_GROUP, kafka_url, settings, done="landed")
    publisher = Publisher(kafka_url, settings.ack_timeout_seconds)
    gathered = settings.buffer_megabytes * 1024 * 1024 // 2  # so that one half gathers while the other lands
    register = Register(settings.forget_key)
    limits = Limits(settings.landing_rows, gathered, settings.landing_linger_ms / 1000)

    async def send_dead_letters(letters: Sequence[bytes]) -> None:
        await publisher.publish("rejected", [(None, letter) for letter in letters])

    def durable(topic: str, partition: int, position: int) -> None:
        app.consumer.durable(topic, partition, position)

    landers = {
        topic.name: Lander(
            topic.name,
            epochs[topic.name],
            client=client,
            limits=limits,
            send_dead_letters=send_dead_letters,
            durable=durable,
            ids=ids,
            around=app,
            register=register,
        )
        for topic in LANDED
    }

    async def start_where(assigned: set[TP]) -> Mapping[TP, Start]:
        register.replace(await forgotten_log.entries(kafka_url))
        marks = {
            TopicPartition(name, partition): mark
            for name, lander in landers.items()
            for partition, mark in (await lander.marks()).items()
        }
        found = await starts(kafka_url, epochs, marks, (TopicPartition(*tp) for tp in assigned))
        for name, lander in landers.items():
            lander.begin({tp.partition: start.position for tp, start in found.items() if tp.topic == name})
        return {TP(*tp): start for tp, start in found.items()}

    app.starts = start_where
    for lander in landers.values():
        _declare(app, lander)
    app.closing.append(publisher.stop)
    return app, landers


def _declare(app: ChunkedApp, lander: Lander) -> None:
    @app.agent(app.chunks_of(lander.topic), name=f"landing-{lander.topic}")
    async def land(chunks: Any) -> None:
        with app.failing():
            async with asyncio.TaskGroup() as group:
                group.create_task(lander.run())
                async for chunk in chunks:
                    await lander.take(chunk)
