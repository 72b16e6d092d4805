"""CPU per event of the fold for customers with a short and with a very long past."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from agents.chunk import Chunk
from agents.folding import Folding
from pipeline.customer import Rules
from pipeline.model import Record
from pipeline.settings import Settings
from schemas.codec import Encoder
from tests.bench.report import median, tell
from tests.bench.stream import START, touchpoints

CUSTOMERS = 20
_LONG_AFTER = 10**15
ROUNDS = 200


@dataclass
class Given:
    """As much of a Kafka record as the fold needs."""

    offset: int
    key: bytes
    value: bytes
    topic: str = "touchpoints"
    partition: int = 0


async def run() -> None:
    """One event per customer and chunk, after 100 and after 100,000 touchpoints of each customer."""
    short, long = _cost(100), _cost(100_000)
    tell("fold, customers with 100 past touchpoints", cpu_us_per_event=short)
    tell("fold, customers with 100,000 past touchpoints", cpu_us_per_event=long, times_the_short=long / short)


def _cost(past: int) -> float:
    encode, folding = Encoder("touchpoints"), Folding(Rules.of(Settings()), 1)
    customers = CUSTOMERS if past < 10_000 else 2
    states: dict[bytes, bytes] = {}
    offset = 0
    for number in range(customers):
        stream = touchpoints(past, 1, seed=number, per_day=2_000)
        offset = _fold(folding, states, encode, stream, number, offset)
    later = START + 86_400_000 * (past // 2_000 + 1)
    times = []
    for turn in range(ROUNDS):
        records = [
            Given(offset + number, _key(number), encode(_event(number, turn, later))) for number in range(customers)
        ]
        offset += customers
        chunk = Chunk("touchpoints", 0, offset - customers, offset, records)  # type: ignore[arg-type]
        started = time.process_time()
        outputs = folding(chunk, states, later)
        times.append((time.process_time() - started) / customers * 1e6)
        states.update(outputs.changelog)  # type: ignore[arg-type]
    return median(times)


def _fold(
    folding: Folding, states: dict[bytes, bytes], encode: Encoder, stream: Iterable[Record], number: int, offset: int
) -> int:
    records = [
        Given(offset + index, _key(number), encode({**record, "customer_id": _key(number).decode()}))
        for index, record in enumerate(stream)
    ]
    after = offset + len(records)
    outputs = folding(Chunk("touchpoints", 0, offset, after, records), states, _LONG_AFTER)  # type: ignore[arg-type]
    states.update(outputs.changelog)  # type: ignore[arg-type]
    return after


def _key(number: int) -> bytes:
    return b"customer-%05d" % number


def _event(number: int, turn: int, later: int) -> Record:
    record = next(iter(touchpoints(1, 1, seed=number * 1_000_003 + turn + 7)))
    return {**record, "customer_id": _key(number).decode(), "occurred_at": later + turn, "received_at": later + turn}
