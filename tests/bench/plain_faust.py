"""What Faust's own documentation leads to: models, one event at a time, a table, closed sessions published.

The job is the measured stream's: sessionize per customer by event time with a gap of 30 minutes, keep count, first
and last time, counts per channel and the lowest sentiment, publish the sessions that ended. Less than the customers
agent does; its state survives a crash as Faust tables do.
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
    """One customer's open session."""

    first: int
    last: int
    count: int = 0
    channels: dict[str, int] = {}  # noqa: RUF012 (a Faust model's default)
    lowest: float | None = None


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
    sessions = app.Table("sessions", value_type=Session, partitions=4)
    closed = app.topic("plain-closed", value_type=Session, partitions=4)
    done = 0
    started: tuple[float, float] | None = None
    finished = asyncio.Event()

    @app.agent(app.topic("touchpoints", key_type=str, value_type=Touchpoint))
    async def sessionize(events: Any) -> None:
        nonlocal done, started
        async for event in events:
            if started is None:
                started = time.monotonic(), time.process_time()
            session = sessions.get(event.customer_id)
            if session is not None and event.occurred_at > session.last + GAP_MS:
                await closed.send(key=event.customer_id, value=session)
                session = None
            if session is None:
                session = Session(first=event.occurred_at, last=event.occurred_at, channels={})
            session.first = min(session.first, event.occurred_at)
            session.last = max(session.last, event.occurred_at)
            session.count += 1
            session.channels[event.channel] = session.channels.get(event.channel, 0) + 1
            if event.sentiment is not None:
                session.lowest = event.sentiment if session.lowest is None else min(session.lowest, event.sentiment)
            sessions[event.customer_id] = session
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
