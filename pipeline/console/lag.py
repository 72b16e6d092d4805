"""How many records wait for each role: what the logs hold beyond where it stands."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition

from pipeline.log_reader import LogReader, Span, log_reader
from pipeline.positions import committed
from pipeline.topics import ALERTS_GROUP, CUSTOMERS_GROUP, DELIVERY_GROUP, LANDING_GROUP, epochs

READS = {
    "customers": (CUSTOMERS_GROUP, "touchpoints"),
    "alerts": (ALERTS_GROUP, "risk"),
    "delivery": (DELIVERY_GROUP, "alerts"),
    "landing": (LANDING_GROUP, "touchpoints"),
}
"""By role its consumer group, and the topic that says how far behind it is."""

_GAP = 2
"""Offsets at the end of a log that may be no records: the marks of a transaction."""

Lags = dict[str, int | None]


async def lags(kafka_url: str) -> Lags:
    """By role the number of records that wait for it, about; None for a role that has never been there.

    Raises UnavailableError when Kafka does not answer.
    """
    known = await epochs(kafka_url)
    async with log_reader(kafka_url) as log:
        spans = await log.spans({topic for _, topic in READS.values()})
        return {
            role: await _lag(log, kafka_url, group, _of(spans, topic), known.get(topic, -1))
            for role, (group, topic) in READS.items()
        }


async def _lag(
    log: LogReader, kafka_url: str, group: str, spans: Mapping[TopicPartition, Span], epoch: int
) -> int | None:
    marks = await committed(kafka_url, group, spans)
    if not marks:
        return None
    here = {tp: mark.position for tp, mark in marks.items() if mark.epoch in (None, epoch)}
    return await waiting(log, {tp: Span(max(span.first, here.get(tp, 0)), span.end) for tp, span in spans.items()})


async def waiting(log: LogReader, ahead: Mapping[TopicPartition, Span]) -> int:
    """How many offsets lie ahead, without what is only a gap at the end of a log."""
    short = {tp: span for tp, span in ahead.items() if 0 < span.end - span.first <= _GAP}
    empty = short.keys() - await log.holds_records(short)
    return sum(max(0, span.end - span.first) for tp, span in ahead.items() if tp not in empty)


def _of(spans: Mapping[TopicPartition, Span], topic: str) -> dict[TopicPartition, Span]:
    return {tp: span for tp, span in spans.items() if tp.topic == topic}
