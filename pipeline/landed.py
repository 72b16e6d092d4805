"""Waits until what Kafka holds now can be seen in ClickHouse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from pipeline.errors import UnavailableError
from pipeline.log_reader import LogReader, Span, log_reader
from pipeline.positions import committed
from pipeline.topics import ALERTS_GROUP, CUSTOMERS_GROUP, LANDED, epochs
from sinks import ledger
from sinks.clickhouse import Client

Progress = Callable[[str, int, int], None]
"""Called with what is waited for, how many of its records are done, and how many there are (about)."""


@dataclass(frozen=True)
class Positions:
    """How far something has come, by partition: `read` asks, `what` are the words for it."""

    what: str
    read: Callable[[], Awaitable[Mapping[TopicPartition, int]]]


Place = tuple[TopicPartition, int]
"""A record's partition and offset."""

LANDED_NAMES = tuple(topic.name for topic in LANDED)
_STALLED_SECONDS = 120.0
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.2)


async def wait_until_landed(
    kafka_url: str,
    clickhouse: Client,
    *,
    timeout: float,  # noqa: ASYNC109 (the message says where it stood)
    progress: Progress | None = None,
    alerts: bool = False,
) -> None:
    """Return when every touchpoint now in Kafka has been applied to its customer and all of it has landed.

    First the customers agent must have passed the ends that `touchpoints` has now, then (with `alerts`) the alerts
    agent those that `risk` has by then, then the ledger those of all landed topics.
    Raises UnavailableError after `timeout` seconds, saying where it stands.
    """
    until = time.monotonic() + timeout
    tell = progress or _silent
    async with log_reader(kafka_url) as log:
        touchpoints = await log.spans(["touchpoints"])
        known = await epochs(kafka_url)
        applied = committed_positions(kafka_url, CUSTOMERS_GROUP, touchpoints, known.get("touchpoints", -1))
        await wait_for(log, touchpoints, applied, until, tell)
        if alerts:
            risk = await log.spans(["risk"])
            seen = "seen by the alerts worker"
            decided = committed_positions(kafka_url, ALERTS_GROUP, risk, known.get("risk", -1), seen)
            await wait_for(log, risk, decided, until, tell)
        everything = await log.spans(LANDED_NAMES)
        await wait_for(log, everything, marks_of(clickhouse, await epochs(kafka_url)), until, tell)


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


async def wait_for(
    log: LogReader,
    spans: Mapping[TopicPartition, Span],
    positions: Positions,
    until: float,
    tell: Progress = _silent,
) -> None:
    """Return when no record of the spans lies at or beyond its partition's position.

    Raises UnavailableError when that is not so at `until`, on the monotonic clock.
    """
    total = sum(span.end - span.first for span in spans.values())
    left = dict(spans)
    tries = 0
    while left:
        left = await _still_open(log, left, await positions.read())
        tell(positions.what, total - sum(span.end - span.first for span in left.values()), total)
        if left and time.monotonic() > until:
            raise UnavailableError(_unfinished(left, positions.what))
        if left:
            await asyncio.sleep(_POLL_SECONDS[min(tries, len(_POLL_SECONDS) - 1)])
            tries += 1


async def until_past(places: Iterable[Place], positions: Positions, who: str = "the rebuild") -> None:
    """Return when the positions are past every place. Raises UnavailableError, saying who waits, when none moves."""
    wanted: dict[TopicPartition, int] = {}
    for tp, offset in places:
        wanted[tp] = max(wanted.get(tp, 0), offset + 1)
    before: Mapping[TopicPartition, int] = {}
    moved = time.monotonic()
    while True:
        now = await positions.read()
        if all(now.get(tp, 0) >= position for tp, position in wanted.items()):
            return
        if now != before:
            before, moved = now, time.monotonic()
        if time.monotonic() - moved > _STALLED_SECONDS:
            raise UnavailableError(
                f"{who} waits for touchpoints to be {positions.what}, and nothing moves: are the workers running?"
            )
        await asyncio.sleep(_POLL_SECONDS[1])


async def _still_open(
    log: LogReader, spans: Mapping[TopicPartition, Span], positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Span]:
    """Return what of the spans lies ahead of the positions, without what holds only gaps.

    Whether a span holds records is looked up only where nothing has moved since the last time: that is so of
    a gap at the end, and spares reading the log of partitions that are still being worked on.
    """
    ahead = {tp: Span(max(span.first, positions.get(tp, 0)), span.end) for tp, span in spans.items()}
    ahead = {tp: span for tp, span in ahead.items() if span.first < span.end}
    still = {tp: span for tp, span in ahead.items() if span == spans[tp]}
    holding = await log.holds_records(still)
    return {tp: span for tp, span in ahead.items() if tp in holding or tp not in still}


def committed_positions(
    kafka_url: str,
    group: str,
    partitions: Collection[TopicPartition],
    epoch: int,
    what: str = "applied by the customers worker",
) -> Positions:
    """Return where a consumer group stands, by its commits in the topic's current epoch."""

    async def read() -> dict[TopicPartition, int]:
        marks = await committed(kafka_url, group, partitions)
        return {tp: mark.position for tp, mark in marks.items() if mark.epoch is None or mark.epoch == epoch}

    return Positions(what, read)


def marks_of(clickhouse: Client, known: Mapping[str, int], topics: Iterable[str] = LANDED_NAMES) -> Positions:
    """Return up to where the ledger says that the topics, in their current epochs, have landed."""

    async def read() -> dict[TopicPartition, int]:
        found: dict[TopicPartition, int] = {}
        for topic in topics:
            if topic in known:
                marks = await ledger.marks(clickhouse, topic, known[topic])
                found.update({TopicPartition(topic, partition): mark for partition, mark in marks.items()})
        return found

    return Positions("landed", read)


def _unfinished(left: Mapping[TopicPartition, Span], what: str) -> str:
    tp, span = next(iter(left.items()))
    more = f" and {len(left) - 1} more partitions" if len(left) > 1 else ""
    return (
        f"not all was {what} in time: {tp.topic} partition {tp.partition} stands at {span.first} of "
        f"{span.end}{more}; are the workers running? try again, or look into their logs"
    )
