"""The edge to Kafka: what its client raises becomes our own error, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from pipeline.errors import UnavailableError


@asynccontextmanager
async def reachable(kafka_url: str, within: float = 60.0) -> AsyncIterator[None]:
    """Run a block that talks to Kafka; whatever it raises about Kafka, or time-out, becomes UnavailableError."""
    try:
        async with asyncio.timeout(within):
            yield
    except (KafkaError, TimeoutError) as error:
        raise UnavailableError(f"Kafka at {kafka_url} did not answer ({error!r}): is it running?") from error


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, and let what went wrong before be seen.

    While a fetch waits to be tried again, the client's own stop raises CancelledError though nobody cancelled anything,
    and leaves its connections open.
    """
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        await consumer._client.close()
