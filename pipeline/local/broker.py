"""Asks a broker whether it can serve."""

from __future__ import annotations

import logging

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from pipeline.local.server import accepts


async def answers(port: int) -> bool:
    """Tell whether the broker on this port answers a metadata request and names a broker; never raises."""
    if not await accepts(port):
        return False
    client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=2000)
    log = logging.getLogger("aiokafka")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
        log.setLevel(level)
