"""A load generator for the collector: bounded, loopback only, light enough to share two cores with its target.

    python -m tests.bench.collector_load http://127.0.0.1:8480 WRITE_KEY --batch 100 --events 200000

Closed loop: every connection sends the next request when the answer to the last has come. The requests are built
before the clock starts. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import uvloop

MOST_EVENTS = 5_000_000
_CUSTOMERS = 9_000
_KINDS = (
    ("web", "page_view"),
    ("web", "product_view"),
    ("mobile_app", "screen_view"),
    ("email", "open"),
    ("web", "search"),
)


@dataclass(frozen=True)
class Figures:
    """What one run measured. Latencies are of requests, in milliseconds, as the sender sees them."""

    batch: int
    connections: int
    events: int
    requests: int
    refused: int
    seconds: float
    events_per_second: int
    requests_per_second: int
    p50_ms: float
    p99_ms: float


def event(chance: random.Random) -> dict[str, object]:
    """Make a touchpoint of fourteen fields, as an emitter sends it."""
    channel, touchpoint = chance.choice(_KINDS)
    moment = datetime.now(UTC) - timedelta(seconds=chance.randrange(3600))
    return {
        "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "customer_id": f"customer-{chance.randrange(_CUSTOMERS):06d}",
        "anonymous_id": f"device-{chance.randrange(_CUSTOMERS):08x}",
        "occurred_at": moment.isoformat(timespec="milliseconds"),
        "channel": channel,
        "touchpoint": touchpoint,
        "outcome": "completed",
        "sentiment": round(chance.uniform(-1, 1), 3),
        "value": round(chance.uniform(1, 500), 2),
        "currency": "EUR",
        "duration_ms": chance.randrange(60_000),
        "reference": f"order-{chance.randrange(100_000)}",
        "campaign": "spring",
        "attributes": {"page": "/pricing", "device": "phone"},
    }


def request(url: str, write_key: str, events: list[dict[str, object]]) -> bytes:
    """Build one whole request: an object when there is one event, else an array."""
    body = json.dumps(events[0] if len(events) == 1 else events, separators=(",", ":")).encode()
    head = (
        f"POST /v1/touchpoints HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {write_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    """The requests still to send, shared by all connections, and what came back."""

    def __init__(self, prepared: list[bytes], count: int) -> None:
        self._prepared = prepared
        self._left = count
        self.refused = 0
        self.latencies: list[float] = []

    def next(self) -> bytes | None:
        """Take the next request, or None when all are sent."""
        if self._left == 0:
            return None
        self._left -= 1
        return self._prepared[self._left % len(self._prepared)]

    def answered(self, status: bytes, seconds: float) -> None:
        """Note an answer."""
        self.refused += status != b"200"
        self.latencies.append(seconds)


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends until nothing is left."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read an answer; when it is whole, send the next request."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or len(rest) < int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]):
            return
        self._buffer = b""
        self._load.answered(head[9:12], time.perf_counter() - self._sent)
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """End with an error when the other side hung up before all was sent."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the collector closed the connection"))

    def _send(self) -> None:
        following = self._load.next()
        if following is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._sent = time.perf_counter()
            self._transport.write(following)


async def run(url: str, write_key: str, *, batch: int, events: int, connections: int) -> Figures:
    """Send `events` events in batches and measure. Raises ValueError for an address that is not loopback."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    if host is None or port is None or not (host == "localhost" or ip_address(host).is_loopback):
        raise ValueError("only a collector on this machine may be put under load, http://127.0.0.1:PORT")
    if not 0 < events <= MOST_EVENTS:
        raise ValueError(f"events must lie in 1 to {MOST_EVENTS:,}")
    chance = random.Random(7)
    count = max(1, events // batch)
    different = min(count, max(1, 50_000 // batch))
    prepared = [request(url, write_key, [event(chance) for _ in range(batch)]) for _ in range(different)]
    load = Load(prepared, count)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [await loop.create_connection(lambda: Connection(load), host, port) for _ in range(connections)]
    await asyncio.gather(*(connection.done for _, connection in opened))
    return _figures(load, batch, connections, count, time.perf_counter() - started)


def _figures(load: Load, batch: int, connections: int, requests: int, seconds: float) -> Figures:
    latencies = sorted(load.latencies)
    return Figures(
        batch=batch,
        connections=connections,
        events=requests * batch,
        requests=requests,
        refused=load.refused,
        seconds=round(seconds, 3),
        events_per_second=round(requests * batch / seconds),
        requests_per_second=round(requests / seconds),
        p50_ms=round(latencies[len(latencies) // 2] * 1000, 2),
        p99_ms=round(latencies[len(latencies) * 99 // 100] * 1000, 2),
    )


def main() -> int:
    """Read the command line, run once and print the figures; 1 when a request was refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("write_key")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    figures = uvloop.run(
        run(given.url, given.write_key, batch=given.batch, events=given.events, connections=given.connections)
    )
    print(json.dumps(asdict(figures)))
    return 1 if figures.refused else 0


if __name__ == "__main__":
    sys.exit(main())
