"""A load generator that keeps a pace, whatever the answers: so many requests a second, on loopback only.

    python -m tests.bench.paced_load http://127.0.0.1:8480 WRITE_KEY --rate 2000 --batch 10 --seconds 20

A latency counts from the moment a request was due, so that waiting for a free connection is part of it. Prints one
JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import cast
from urllib.parse import urlsplit

import uvloop

from tests.bench.collector_load import event, request
from tests.bench.report import percentile

CONNECTIONS = 64
PREPARED = 500


@dataclass(frozen=True)
class Paced:
    """What one run came to. Latencies are of accepted requests, in milliseconds."""

    requests: int
    accepted: int
    refused: int
    other: int
    without_retry_after: int
    events_accepted: int
    p50_ms: float
    p99_ms: float


class Pace:
    """The requests that are due, the connections that are free, and what came back.

    Connections take turns, so that none is idle until the collector closes it.
    """

    def __init__(self, prepared: list[bytes]) -> None:
        self._prepared = prepared
        self._due: deque[float] = deque()
        self._free: deque[Connection] = deque()
        self.sent = 0
        self.statuses: Counter[bytes] = Counter()
        self.without_retry_after = 0
        self.latencies: list[float] = []

    def due(self, at: float) -> None:
        """Send one request now, or as soon as a connection is free."""
        self._due.append(at)
        if self._free:
            self.free(self._free.popleft())

    def free(self, connection: Connection) -> None:
        """Use a connection for what is due first, else keep it."""
        if not self._due:
            self._free.append(connection)
            return
        connection.send(self._due.popleft(), self._prepared[self.sent % len(self._prepared)])
        self.sent += 1

    def answered(self, head: bytes, seconds: float) -> None:
        """Note an answer."""
        status = head[9:12]
        self.statuses[status] += 1
        if status == b"200":
            self.latencies.append(seconds)
        elif status == b"429":
            self.without_retry_after += b"retry-after: " not in head.lower()

    @property
    def done(self) -> bool:
        """Whether all that was due has been answered."""
        return not self._due and self.statuses.total() == self.sent


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._buffer = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be free."""
        self._transport = cast(asyncio.Transport, transport)
        self._pace.free(self)

    def send(self, due: float, content: bytes) -> None:
        """Send a request that was due then."""
        self._due = due
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        """Read an answer; when it is whole, be free again."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if found and len(rest) >= int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]):
            self._buffer = b""
            self._pace.answered(head, asyncio.get_running_loop().time() - self._due)
            self._pace.free(self)


async def run(url: str, write_key: str, *, rate: float, batch: int, seconds: float) -> Paced:
    """Send `rate` events a second in batches, for so long, and wait for the last answer."""
    chance = random.Random(11)
    pace = Pace([request(url, write_key, [event(chance) for _ in range(batch)]) for _ in range(PREPARED)])
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(pace), urlsplit(url).hostname, urlsplit(url).port)
    count, began = round(rate * seconds / batch), loop.time()
    for number in range(count):
        due = began + number * batch / rate
        if (early := due - loop.time()) > 0:
            await asyncio.sleep(early)
        pace.due(due)
    async with asyncio.timeout(60):
        while not pace.done:
            await asyncio.sleep(0.01)
    accepted, refused = pace.statuses[b"200"], pace.statuses[b"429"]
    return Paced(
        requests=count,
        accepted=accepted,
        refused=refused,
        other=count - accepted - refused,
        without_retry_after=pace.without_retry_after,
        events_accepted=accepted * batch,
        p50_ms=round(percentile(pace.latencies, 0.5) * 1000, 2),
        p99_ms=round(percentile(pace.latencies, 0.99) * 1000, 2),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("write_key")
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    figures = uvloop.run(run(given.url, given.write_key, rate=given.rate, batch=given.batch, seconds=given.seconds))
    print(json.dumps(asdict(figures)))
