"""What an agent works with beside its chunks, without an application around it."""

from __future__ import annotations

from agents.chunk import Chunk
from agents.flow import Flow
from agents.metrics import Metrics
from agents.waits import Waits


class Alone:
    """The surroundings of an agent under test: plenty of room, and any failure fails the test."""

    def __init__(self, done: str = "folded") -> None:
        self.flow = Flow(1 << 30)
        self.waits = Waits()
        self.metrics = Metrics(done)

    def read(self, chunk: Chunk) -> Chunk:
        """A chunk as the consumer hands it over: counted as held."""
        self.flow.watch(chunk.topic)
        self.flow.took(chunk)
        return chunk

    def failed(self, error: BaseException | None) -> None:
        if error is not None:
            raise error
