"""What the customers workers' consumer group is doing."""

from __future__ import annotations

import asyncio
import signal

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from pipeline.landed import Positions
from pipeline.local.child import Child
from pipeline.log_reader import LogReader, log_reader
from pipeline.topics import CUSTOMERS_GROUP

_PATIENCE = 60.0


async def until_members(kafka_url: str, count: int) -> None:
    """Wait until the customers group is settled and has that many members."""
    async with asyncio.timeout(_PATIENCE):
        while await _members(kafka_url) != count:
            await asyncio.sleep(0.1)


async def _members(kafka_url: str) -> int | None:
    """How many members the customers group has; None while it is being made up anew."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        [answer] = await admin.describe_consumer_groups([CUSTOMERS_GROUP])
        [(error, _, state, _, _, members, *_)] = answer.groups
    except KafkaError:
        return None
    finally:
        await admin.close()
    return len(members) if error == 0 and state == "Stable" else None


def applied(kafka_url: str) -> Positions:
    """Where the customers group stands, by its commits, whatever they say beside the offset."""

    async def read() -> dict[TopicPartition, int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(CUSTOMERS_GROUP)
        except GroupCoordinatorNotAvailableError:  # no group has committed yet
            return {}
        finally:
            await admin.close()
        return {tp: committed.offset for tp, committed in offsets.items()}

    return Positions("applied", read)


async def until_behind(kafka_url: str, records: int) -> None:
    """Wait until the customers agent has that many touchpoints of some partition yet to apply."""
    async with asyncio.timeout(_PATIENCE), log_reader(kafka_url) as log:
        while not await _is_behind(log, applied(kafka_url), records):
            pass


async def pause_behind(kafka_url: str, positions: Positions, records: int, worker: Child) -> None:
    """SIGSTOP a worker that has that many touchpoints of some partition yet to do: one that has its hands full."""
    async with asyncio.timeout(_PATIENCE), log_reader(kafka_url) as log:
        while True:
            worker.signal(signal.SIGSTOP)
            if await _is_behind(log, positions, records):
                return
            worker.signal(signal.SIGCONT)
            await asyncio.sleep(0.05)


async def _is_behind(log: LogReader, positions: Positions, records: int) -> bool:
    ends, done = await log.spans(["touchpoints"]), await positions.read()
    return any(span.end - done.get(tp, 0) >= records for tp, span in ends.items())
