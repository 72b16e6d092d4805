"""Watches whether Kafka is still the one that a worker began on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from pipeline.cluster import Cluster, describe, metadata_client
from pipeline.epoch_log import EPOCHS, Epoch, EpochReader, epoch_reader
from pipeline.errors import AnotherLogError
from pipeline.reachable import reachable
from pipeline.topics import ALL

log = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
_NAMES = (*(topic.name for topic in ALL), EPOCHS)


def difference(began: Mapping[str, int], cluster_id: str, now: Cluster, epochs: Mapping[str, Epoch]) -> str | None:
    """What is not as it was when the worker began with these epochs on this cluster, in words; None if nothing is.

    Topics that are gone are not among it: a broker may not have heard of them yet.
    """
    if now.id != cluster_id:
        return f"another Kafka ({now.id}, not {cluster_id}) answers"
    for topic, number in began.items():
        epoch = epochs.get(topic)
        if epoch is None or epoch.number != number:
            return f"topic {topic} has another epoch ({epoch.number if epoch else 'none'}, not {number})"
        topic_id = now.topics.get(topic)
        if topic_id and epoch.topic_id and topic_id != epoch.topic_id:
            return f"topic {topic} was made anew"
    return None


async def watch(kafka_url: str, epochs: Mapping[str, int]) -> NoReturn:
    """Look once a second whether cluster, topics and epochs are those the worker began with.

    Raises AnotherLogError when they are not; UnavailableError only at the beginning. While Kafka is away, waits.
    """
    async with metadata_client(kafka_url) as client, epoch_reader(kafka_url) as reader:
        async with reachable(kafka_url):
            await reader.catch_up()
            cluster = await describe(client, _NAMES)
        await _Watch(client, reader, epochs, cluster.id).run()


class _Watch:
    def __init__(self, client: AIOKafkaClient, reader: EpochReader, epochs: Mapping[str, int], cluster_id: str) -> None:
        self._client = client
        self._reader = reader
        self._epochs = epochs
        self._cluster_id = cluster_id
        self._gone: set[str] = set()

    async def run(self) -> NoReturn:
        loop = asyncio.get_running_loop()
        while True:
            until = loop.time() + ROUND_SECONDS
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(10 * ROUND_SECONDS):
                    self._compare(await describe(self._client, _NAMES))
                    await self._reader.follow(max(0.0, until - loop.time()))
            await asyncio.sleep(max(0.0, until - loop.time()))

    def _compare(self, now: Cluster) -> None:
        why = difference(self._epochs, self._cluster_id, now, self._reader.known)
        gone = set(_NAMES) - now.topics.keys()
        if still_gone := sorted(gone & self._gone):
            why = why or f"topics are gone: {', '.join(still_gone)}"
        self._gone = gone
        if why:
            raise AnotherLogError(f"{why}: nothing more is committed; a new start sorts it out")
