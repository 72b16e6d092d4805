"""What both Faust applications have in common."""

from __future__ import annotations

from typing import Any

from agents.chunked_app import ChunkedApp
from pipeline.settings import Settings

_FETCH_BYTES = 4 * 1024 * 1024
"""How much the client reads ahead of each partition, as it is compressed."""

_BUFFERED_CHUNKS = 4
"""How many chunks of a changelog wait while states are recovered; those of other topics are bounded by `Flow`."""


def compression_of(settings: Settings) -> str | None:
    """The codec as the Kafka client names it."""
    return None if settings.compression == "none" else settings.compression


def chunked_app(group: str, kafka_url: str, settings: Settings, done: str, **more: Any) -> ChunkedApp:
    """A Faust application whose agents receive chunks; its id is its consumer group.

    `done` is what becomes of records here, for its metrics: "folded" or "landed".
    """
    return ChunkedApp(
        group,
        done=done,
        most_bytes=settings.buffer_megabytes * 1024 * 1024,
        broker=[f"chunked://{server.strip()}" for server in kafka_url.split(",")],
        store="partitioned://",
        key_serializer="raw",
        value_serializer="raw",
        table_standby_replicas=0,  # a standby would be taken for an owner, and fence the real one
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_buffer_maxsize=_BUFFERED_CHUNKS,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        broker_max_poll_records=settings.chunk_records,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 5,
        broker_commit_interval=1.0,
        consumer_max_fetch_size=_FETCH_BYTES,
        consumer_auto_offset_reset="earliest",
        **more,
    )
