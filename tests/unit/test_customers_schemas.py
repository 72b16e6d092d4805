"""The customers agent: a chunk with schema ids not met is held; one that is missing, or of the past, is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.folder import Folder
from agents.folding import Folding
from agents.marking import Marking
from agents.transactions import Message, PositionAfter, Written
from pipeline.customer import Rules
from pipeline.errors import BrokenInvariantError, UnavailableError
from pipeline.settings import Settings
from pipeline.topics import CHANGELOG, CUSTOMERS_GROUP
from schemas.codec import Decoder, header
from schemas.contracts import SUBJECTS, Avro
from schemas.registered import RegisteredIds
from tests.evolution import Writer, evolved
from tests.reference import touchpoint
from tests.surroundings import Alone

OWN = {subject: 50 + number for number, subject in enumerate(SUBJECTS)}


class Shelf:
    def __init__(self) -> None:
        self.away = True
        self.refused = asyncio.Event()

    async def schema(self, schema_id: int) -> Avro | None:
        if self.away:
            self.refused.set()
            raise UnavailableError("away")
        return evolved() if schema_id == 7 else None


class States(dict[int, dict[bytes, bytes]]):
    """The store, as far as the agent needs it."""

    on_ownership: Any = None

    def states(self, partition: int) -> dict[bytes, bytes]:
        return self.setdefault(partition, {})

    def update(self, partition: int, written: Sequence[Message]) -> None:
        self.states(partition).update(written)  # type: ignore[arg-type]

    def wrote(self, partition: int, position: int) -> None:
        pass


class Log:
    """Transactions that always succeed; remembers what they committed."""

    def __init__(self) -> None:
        self.owned: set[int] = set()
        self.committed: list[tuple[int, Mapping[str, Sequence[Message]]]] = []

    def owns(self, partition: int) -> bool:
        return partition in self.owned

    async def own(self, owned: set[int], lost: set[int]) -> None:
        self.owned = (self.owned | owned) - lost

    async def commit(
        self, partition: int, outputs: Mapping[str, Sequence[Message]], source: str, position: PositionAfter
    ) -> Written:
        self.committed.append((position({}).offset, outputs))
        return Written({})


class Agent:
    def __init__(self) -> None:
        self.shelf, self.log, self.around = Shelf(), Log(), Alone()
        self.ids = RegisteredIds(self.shelf, OWN)
        folding = Folding(Rules.of(Settings()), 1, self.ids)
        marking = Marking("nowhere", CUSTOMERS_GROUP, ["touchpoints"], {"touchpoints": 1, CHANGELOG: 1})
        self.customers = Folder(folding, States(), self.log, marking, self.around)  # type: ignore[arg-type]

    async def take(self, chunk: Chunk) -> None:
        await self.customers.take(self.around.read(chunk))

    def codes(self) -> list[str]:
        decode = Decoder("rejected", self.ids)
        return [decode(value)["code"] for _, outputs in self.log.committed for _, value in outputs["rejected"]]


def chunk(*values: bytes) -> Chunk:
    records = [
        ConsumerRecord("touchpoints", 0, n, 0, 0, b"ann", value, None, 3, 0, ()) for n, value in enumerate(values)
    ]
    return Chunk("touchpoints", 0, 0, len(records), records)


NEW = Writer(evolved(), 7)({**touchpoint(1), "mood": "grim"})


async def test_a_chunk_with_an_unmet_id_waits_for_the_registry_and_is_folded_once():
    agent = Agent()
    await agent.customers.own({0}, set())
    agent.customers.begin({("touchpoints", 0): 0})
    taking = asyncio.create_task(agent.take(chunk(NEW, header(99) + b"x")))
    await agent.shelf.refused.wait()
    assert not taking.done()
    assert agent.log.committed == []
    agent.shelf.away = False
    await taking
    await agent.customers.release()
    ((position, outputs),) = agent.log.committed
    assert position == 2
    assert [key for key, _ in outputs["customers"]] == [b"ann"]
    assert agent.codes() == ["schema_id"]


async def test_a_partition_given_back_while_it_waited_is_let_go():
    agent = Agent()
    await agent.customers.own({0}, set())
    agent.customers.begin({("touchpoints", 0): 0})
    taking = asyncio.create_task(agent.take(chunk(NEW)))
    await agent.shelf.refused.wait()
    await agent.customers.release()
    await agent.customers.own(set(), {0})
    await agent.customers.own({0}, set())
    agent.shelf.away = False
    await taking
    await agent.customers.release()
    assert agent.log.committed == []


def stretch(first: int, after: int) -> Chunk:
    return Chunk("touchpoints", 0, first, after, [])


async def test_a_chunk_that_was_never_handed_over_is_missed_also_at_the_beginning():
    agent = Agent()
    await agent.customers.own({0}, set())
    agent.customers.begin({("touchpoints", 0): 5})
    with pytest.raises(BrokenInvariantError, match="5 to 9 were never handed over"):
        await agent.take(stretch(9, 12))
    await agent.take(stretch(5, 9))
    await agent.customers.release()
    assert [position for position, _ in agent.log.committed] == [9]


async def test_what_was_read_for_an_assignment_past_is_let_go():
    agent = Agent()
    await agent.customers.own({0}, set())
    agent.customers.begin({("touchpoints", 0): 5})
    await agent.customers.own({0}, set())
    await agent.take(stretch(5, 9))
    await agent.customers.release()
    assert agent.log.committed == []


async def test_what_was_read_before_the_partition_was_sought_again_is_let_go():
    agent = Agent()
    await agent.customers.own({0}, set())
    agent.customers.begin({("touchpoints", 0): 5})
    before = agent.around.read(stretch(9, 12))
    await agent.take(stretch(5, 9))
    agent.around.flow.forget([("touchpoints", 0)])
    await agent.customers.pause()
    assert [position for position, _ in agent.log.committed] == [9]
    agent.customers.begin({("touchpoints", 0): 5})
    await agent.customers.take(before)
    await agent.take(stretch(5, 11))
    await agent.customers.release()
    assert [position for position, _ in agent.log.committed] == [9, 11]
    assert agent.around.flow.held_bytes() == {"touchpoints": 0}


async def test_a_chunk_that_waits_while_its_partition_is_sought_again_is_let_go():
    agent = Agent()
    await agent.customers.own({0}, set())
    agent.customers.begin({("touchpoints", 0): 0})
    taking = asyncio.create_task(agent.take(chunk(NEW)))
    await agent.shelf.refused.wait()
    agent.around.flow.forget([("touchpoints", 0)])
    await agent.customers.pause()
    agent.customers.begin({("touchpoints", 0): 0})
    agent.shelf.away = False
    await taking
    await agent.customers.release()
    assert agent.log.committed == []
