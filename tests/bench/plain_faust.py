"""What Faust's own documentation leads to: models, one event at a time, a table, closed sessions published.

The job is the measured stream's, done exactly: sessionize per customer by event time with a gap of 30 minutes, although
events come up to five minutes out of order; keep count, first and last time, counts per channel and the lowest
sentiment; publish each session once it cannot change any more. No duplicates, journeys, profile or risk, so less than
the customers agent does; its state survives a crash as Faust tables do.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import faust
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.serializers import codecs

from schemas.codec import Decoder, Encoder

GAP_MS = 30 * 60_000
DISORDER_MS = 5 * 60_000


class AvroTouchpoint(codecs.Codec):
    """The touchpoints' Avro, as a Faust codec."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._decode, self._encode = Decoder("touchpoints"), Encoder("touchpoints")

    def _dumps(self, obj: Any) -> bytes:
        return self._encode(obj)

    def _loads(self, data: bytes) -> Any:
        return self._decode(data)


codecs.register("avro-touchpoint", AvroTouchpoint())


class Touchpoint(faust.Record, serializer="avro-touchpoint"):
    """One touchpoint."""

    event_id: str
    customer_id: str
    occurred_at: int
    received_at: int
    channel: str
    touchpoint: str
    stage: str
    direction: str
    source: str
    anonymous_id: str | None = None
    outcome: str | None = None
    sentiment: float | None = None
    rating_metric: str | None = None
    rating_score: float | None = None
    value: float | None = None
    currency: str | None = None
    duration_ms: int | None = None
    wait_ms: int | None = None
    reference: str | None = None
    staff_id: str | None = None
    campaign: str | None = None
    partner: str | None = None
    attributes: dict[str, str] = {}  # noqa: RUF012 (a Faust model's default)
    import_id: str | None = None


class Session(faust.Record, serializer="json"):
    """One session of a customer."""

    first: int
    last: int
    count: int = 0
    channels: dict[str, int] = {}  # noqa: RUF012 (a Faust model's default)
    lowest: float | None = None


class Sessions(faust.Record, serializer="json"):
    """The sessions of a customer that may still change."""

    open: list[Session]


def add(sessions: list[Session], event: Touchpoint) -> list[Session]:
    """The sessions with the event in them: those it touches within the gap become one."""
    moment = event.occurred_at
    merged = Session(first=moment, last=moment, count=1, channels={event.channel: 1}, lowest=event.sentiment)
    apart = []
    for session in sessions:
        if session.first - GAP_MS <= moment <= session.last + GAP_MS:
            merge(merged, session)
        else:
            apart.append(session)
    return [*apart, merged]


def merge(into: Session, other: Session) -> None:
    """Add one session to another."""
    into.first, into.last = min(into.first, other.first), max(into.last, other.last)
    into.count += other.count
    for channel, count in other.channels.items():
        into.channels[channel] = into.channels.get(channel, 0) + count
    if other.lowest is not None:
        into.lowest = other.lowest if into.lowest is None else min(into.lowest, other.lowest)


async def main(kafka_url: str, count: int, run: str) -> None:
    """Process `count` events and print what it took."""
    app = faust.App(
        f"plain-faust-{run}",
        broker=f"kafka://{kafka_url}",
        store="memory://",
        topic_partitions=4,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
    )
    await _make_topics(kafka_url, run)
    table = app.Table("sessions", value_type=Sessions, partitions=4)
    closed = app.topic("plain-closed", value_type=Session, partitions=4)
    watermarks: dict[int, int] = {}
    done = 0
    started: tuple[float, float] | None = None
    finished = asyncio.Event()

    @app.agent(app.topic("touchpoints", key_type=str, value_type=Touchpoint))
    async def sessionize(stream: Any) -> None:
        nonlocal done, started
        async for item in stream.events():
            if started is None:
                started = time.monotonic(), time.process_time()
            event, partition = item.value, item.message.partition
            watermark = max(watermarks.get(partition, 0), event.occurred_at - DISORDER_MS)
            watermarks[partition] = watermark
            known = table.get(event.customer_id)
            still_open = []
            for session in known.open if known is not None else []:
                if session.last + GAP_MS < watermark:
                    await closed.send(key=event.customer_id, value=session)
                else:
                    still_open.append(session)
            table[event.customer_id] = Sessions(open=add(still_open, event))
            done += 1
            if done >= count:
                finished.set()

    await app.start()
    await finished.wait()
    assert started
    wall, cpu = time.monotonic() - started[0], time.process_time() - started[1]
    figures = {"events": done, "events_per_s": done / wall, "cpu_us_per_event": cpu / done * 1e6}
    print(json.dumps(figures), flush=True)
    await app.stop()


async def _make_topics(kafka_url: str, run: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    await admin.create_topics(
        [NewTopic(name, 4, 1) for name in ("plain-closed", f"plain-faust-{run}-sessions-changelog")]
    )
    await admin.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
