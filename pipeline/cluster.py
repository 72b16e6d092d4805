"""Asks Kafka which cluster it is and which topics it has: names, and the ids it gave them when they were made.

A topic made anew under an old name has another id. Kafka tells ids in version 12 of its metadata request, which the
client library does not speak; hence its form stands here. A broker that knows only older versions tells no ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from pipeline.reachable import reachable

_NO_ID = bytes(16)
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Cluster:
    """What answered: its id, and by name the ids of those topics asked for that exist ("" where it tells none)."""

    id: str
    topics: Mapping[str, str]


@asynccontextmanager
async def metadata_client(kafka_url: str) -> AsyncIterator[AIOKafkaClient]:
    """Open a client to ask with. Raises UnavailableError when Kafka does not answer."""
    client = AIOKafkaClient(bootstrap_servers=kafka_url, request_timeout_ms=10_000)
    try:
        async with reachable(kafka_url):
            await client.bootstrap()
            await until_known(client)
        yield client
    finally:
        await client.close()


async def until_known(client: AIOKafkaClient) -> None:
    """Wait until the client knows a broker to ask: one that is just back answers before it is a member again."""
    while client.get_random_node() is None:
        await client.force_metadata_update()
        await asyncio.sleep(_POLL_SECONDS)


async def describe(client: AIOKafkaClient, names: Collection[str]) -> Cluster:
    """Ask once; makes no topic. Raises KafkaError when there is no answer."""
    answer = (await client.send(client.get_random_node(), _Describe(names))).to_object()
    found = {each["topic"]: each for each in answer["topics"]}
    there = {name: each for name, each in found.items() if each["error_code"] != UnknownTopicOrPartitionError.errno}
    return Cluster(answer["cluster_id"] or "", {name: _id(each) for name, each in there.items()})


def _id(topic: Mapping[str, Any]) -> str:
    given: bytes = topic.get("topic_id", _NO_ID)
    return "" if given == _NO_ID else given.hex()


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _Response(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Request(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


_Known: TypeAlias = MetadataRequest_v5 | _Request


class _Describe(Request[_Known]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_Known]) -> _Known:
        if request_struct_class is _Request:
            return _Request([(_NO_ID, name, {}) for name in self._names], False, False, {})
        return MetadataRequest_v5(list(self._names), False)
