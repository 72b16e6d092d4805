"""The edge to Kafka: what its client raises becomes our own error, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
