"""Who takes a partition over fences its previous owner, and what that one had under way is never seen."""

from __future__ import annotations

import gc

import pytest
from aiokafka.structs import OffsetAndMetadata

from agents.transactions import PositionAfter, Transactions
from pipeline.errors import FencedError
from pipeline.log_reader import log_reader
from pipeline.topics import CUSTOMERS_GROUP
from tests.integration.collector_process import Broker

PARTITION, SOURCE = 1, "touchpoints"


async def values(kafka_url: str) -> list[bytes | None]:
    async with log_reader(kafka_url) as log:
        spans = await log.spans(["risk"])
        return [record.value async for batch in log.records(spans) for record in batch]


def up_to(position: int) -> PositionAfter:
    return lambda _: OffsetAndMetadata(position, "")


async def test_an_owner_that_was_only_paused_can_write_nothing_any_more(kafka: Broker) -> None:
    first, second = (Transactions(kafka.url, CUSTOMERS_GROUP) for _ in range(2))
    try:
        await first.own({PARTITION}, set())
        await first.commit(PARTITION, {"risk": [(b"a", b"first")]}, SOURCE, up_to(1))
        await second.own({PARTITION}, set())
        await second.commit(PARTITION, {"risk": [(b"a", b"second")]}, SOURCE, up_to(2))
        with pytest.raises(FencedError):
            await first.commit(PARTITION, {"risk": [(b"a", b"late")]}, SOURCE, up_to(1))
        await second.commit(PARTITION, {"risk": [(b"a", b"third")]}, SOURCE, up_to(3))
    finally:
        await first.close()
        await second.close()
        gc.collect()  # the client complains of what was fenced: here, and not in the midst of another test
    assert await values(kafka.url) == [b"first", b"second", b"third"]
