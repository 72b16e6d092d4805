"""One lane per Kafka partition: what gathers while a batch is on its way leaves together as the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka.errors import KafkaError

Message = tuple[bytes | None, bytes]
"""Key and value."""


LINGER_SECONDS = 0.002


class Producer(Protocol):
    """The part of AIOKafkaProducer that a lane needs."""

    def create_batch(self) -> Any: ...  # noqa: D102

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]: ...  # noqa: D102


@dataclass(slots=True)
class _Parcel:
    """What one caller gave to one lane. `acknowledged` is cancelled by a caller that gives up: then it lets go."""

    messages: Sequence[Message]
    acknowledged: asyncio.Future[None]
    packed: int = 0

    def __post_init__(self) -> None:
        self.acknowledged.add_done_callback(self._let_go)

    def _let_go(self, _: asyncio.Future[None]) -> None:
        self.messages, self.packed = (), 0

    @property
    def complete(self) -> bool:
        return self.packed == len(self.messages)


class Lane:
    """The queue of one partition, with one batch on its way at a time.

    Messages leave in the order given. A parcel whose caller gave up before it left is emptied at once, so that nothing
    piles up while Kafka is away: what waits here is what callers wait for. `on_failure` is called when Kafka refuses a
    batch.
    """

    def __init__(self, producer: Producer, topic: str, partition: int, on_failure: Callable[[Exception], None]) -> None:
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._on_failure = on_failure
        self._waiting: deque[_Parcel] = deque()
        self._sending: asyncio.Task[None] | None = None

    def put(self, messages: Sequence[Message]) -> asyncio.Future[None]:
        """Queue messages; the future is done when Kafka acknowledged all of them, or carries the KafkaError."""
        parcel = _Parcel(messages, asyncio.get_running_loop().create_future())
        self._waiting.append(parcel)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return parcel.acknowledged

    async def idle(self) -> None:
        """Wait until nothing is queued or on its way."""
        if self._sending is not None:
            await asyncio.wait({self._sending})

    def fail(self, error: Exception) -> None:
        """Give up all that is queued or on its way; whether the latter was written is not known."""
        if self._sending is not None:
            self._sending.cancel()
        while self._waiting:
            _refuse(self._waiting.popleft(), error)

    async def _send_all(self) -> None:
        try:
            await asyncio.sleep(LINGER_SECONDS)
            while batch := self._pack():
                await self._send(*batch)
        finally:
            self._sending = None

    async def _send(self, builder: Any, packed: list[_Parcel]) -> None:
        try:
            await (await self._producer.send_batch(builder, self._topic, partition=self._partition))
        except asyncio.CancelledError:
            for parcel in packed:
                _refuse(parcel, KafkaError("the connection was given up"))
            raise
        except Exception as error:
            refusal = error if isinstance(error, KafkaError) else KafkaError(repr(error))
            for parcel in packed:
                _refuse(parcel, refusal)
            self._on_failure(refusal)
            return
        for parcel in packed:
            if parcel.complete and not parcel.acknowledged.done():
                parcel.acknowledged.set_result(None)

    def _pack(self) -> tuple[Any, list[_Parcel]] | None:
        """Fill one batch from the head of the queue; a parcel larger than a batch stays there with the rest."""
        builder, packed = self._producer.create_batch(), []
        while self._waiting:
            parcel = self._waiting[0]
            if parcel.acknowledged.done():
                self._waiting.popleft()
                continue
            full = _fill(builder, parcel)
            packed.append(parcel)
            if full:
                break
            self._waiting.popleft()
        return (builder, packed) if packed else None


def _fill(builder: Any, parcel: _Parcel) -> bool:
    """Move messages of the parcel into the batch; True when the batch is full before the parcel is empty.

    An empty batch takes its first message whatever its size.
    """
    messages, append = parcel.messages, builder.append
    for position in range(parcel.packed, len(messages)):
        key, value = messages[position]
        if append(timestamp=None, key=key, value=value) is None:
            parcel.packed = position
            return True
    parcel.packed = len(messages)
    return False


def _refuse(parcel: _Parcel, error: Exception) -> None:
    if not parcel.acknowledged.done():
        parcel.acknowledged.set_exception(error)
