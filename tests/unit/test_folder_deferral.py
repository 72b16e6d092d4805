"""Chunks that give nothing: their positions are committed with the next one that does, or a while later, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.folder import Folder
from agents.marking import Marking
from agents.transactions import Message
from pipeline.topics import ALERTS_GROUP, changelog_of
from tests.surroundings import Alone
from tests.unit.test_customers_schemas import Log, States

AROUND = Alone()


class Outputs:
    def __init__(self, values: list[bytes]) -> None:
        self.refused: list[int] = []
        self.codes: Counter[str] = Counter()
        self.changelog: list[Message] = []
        self.risk: list[Message] = [(None, value) for value in values if value == b"loud"]

    def by_topic(self) -> Mapping[str, list[Message]]:
        return {"alerts": self.risk}


class Folding:
    """Says something of every loud record."""

    def __call__(self, chunk: Chunk, before: object, now: int) -> Outputs:
        return Outputs([record.value for record in chunk.records])

    async def meet_schemas(self, chunk: Chunk, before: object) -> None:
        pass


def chunk(first: int, value: bytes, topic: str = "risk") -> Chunk:
    return Chunk(topic, 0, first, first + 1, [ConsumerRecord(topic, 0, first, 0, 0, b"a", value, None, 0, 0, ())])


async def folder(log: Log, defer_seconds: float) -> Folder:
    marking = Marking("nowhere", ALERTS_GROUP, ["risk"], {"risk": 1, "alerts": 1, changelog_of(ALERTS_GROUP): 1})
    made = Folder(Folding(), States(), log, marking, AROUND, defer_seconds=defer_seconds)  # type: ignore[arg-type]
    await made.own({0}, set())
    made.begin({("risk", 0): 0, ("alerts", 0): 0})
    return made


def positions(log: Log) -> list[int]:
    return [position for position, _ in log.committed]


async def test_what_says_nothing_waits_for_what_does() -> None:
    log = Log()
    agent = await folder(log, 3_600)
    for first, value in enumerate([b"quiet", b"quiet", b"quiet", b"loud", b"quiet"]):
        await agent.take(AROUND.read(chunk(first, value)))
    await agent.settle()
    await agent.release()
    assert positions(log) == [1, 4]


async def test_what_has_waited_is_committed_and_only_once() -> None:
    log = Log()
    agent = await folder(log, 3_600)
    for first in range(3):
        await agent.take(AROUND.read(chunk(first, b"quiet")))
    agent._defer = 0.0
    await agent.settle()
    await agent.settle()
    await agent.release()
    assert positions(log) == [1, 3]


async def test_without_deferral_every_position_is_committed() -> None:
    log = Log()
    agent = await folder(log, 0)
    for first in range(3):
        await agent.take(AROUND.read(chunk(first, b"quiet")))
    await agent.tick("risk")
    await agent.release()
    assert positions(log) == [1, 2, 3]
