"""What landing does with records by the version that wrote them, with ClickHouse played by a list."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import fastavro
from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.landing import Lander, Limits
from pipeline.errors import UnavailableError
from schemas.codec import Decoder, Encoder, header
from schemas.contracts import Avro, latest
from schemas.ids import LocalIds
from schemas.registered import RegisteredIds
from sinks.clickhouse import RefusedBlock
from tests.evolution import Writer, add_version, evolved, without
from tests.reference import START, Record, touchpoint
from tests.surroundings import Alone

OWN = {"touchpoints": 4, "rejected": 5}


class Table:
    """Takes blocks as ClickHouse does: whole, and none with a customer it dislikes."""

    def __init__(self, dislikes: str = "") -> None:
        self.blocks: list[list[Record]] = []
        self.ledger: list[Sequence[Any]] = []
        self._dislikes = dislikes

    async def insert_avro(self, _: str, container: bytes, token: str) -> None:
        rows: list[Any] = list(fastavro.reader(BytesIO(container)))
        assert all(row["offset_before"] == row["offset_after"] for row in rows)
        if self._dislikes in {row["customer_id"] for row in rows}:
            raise RefusedBlock(27, f"refused {token}")
        self.blocks.append(rows)

    async def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.ledger += rows


class Shelf:
    """A registry that answers once it is allowed to."""

    def __init__(self, schemas: dict[int, Avro]) -> None:
        self.schemas = schemas
        self.open = True
        self.refused = asyncio.Event()

    async def schema(self, schema_id: int) -> Avro | None:
        if not self.open:
            self.refused.set()
            raise UnavailableError("away")
        return self.schemas.get(schema_id)


def lander(table: Table, ids: Any, letters: list[bytes]) -> Lander:
    async def send(given: Sequence[bytes]) -> None:
        letters.extend(given)

    return Lander(
        "touchpoints",
        7,
        client=table,  # type: ignore[arg-type]
        limits=Limits(1_000, 1 << 30, 0.0),
        send_dead_letters=send,
        durable=lambda *_: None,
        around=Alone("landed"),
        ids=ids,
    )


def chunk(*values: bytes | None) -> Chunk:
    records = [
        ConsumerRecord("touchpoints", 0, offset, 0, 0, b"ann", value, None, 3, 0, ())
        for offset, value in enumerate(values)
    ]
    return Chunk("touchpoints", 0, 0, len(records), records)


def sample(number: int, **more: object) -> Record:
    return touchpoint(number, START + number, import_id="i", attributes={"page": "/"}, **more)


def offsets(table: Table) -> list[list[int]]:
    return [[row["offset_before"] for row in block] for block in table.blocks]


async def test_each_version_has_a_block_and_newer_ones_lose_only_what_is_unknown():
    older, newer = without("import_id"), evolved()
    ids = RegisteredIds(Shelf({1: older, 2: newer, 3: latest("touchpoints").schema}), OWN)
    new, same, mine = Writer(newer, 2), Writer(latest("touchpoints").schema, 3), Encoder("touchpoints", ids)
    values = [mine(sample(0)), new({**sample(1), "mood": "x"}), same(sample(2)), Writer(older, 1)(sample(3)), None]
    table, letters = Table(), []
    await lander(table, ids, letters).land([chunk(*values, mine(sample(5)))])
    assert offsets(table) == [[0, 5], [2], [1, 3]]
    by_offset = {row["offset_before"]: row for block in table.blocks for row in block}
    for offset in (0, 1, 2, 5):
        assert {name: by_offset[offset][name] for name in ("customer_id", "import_id", "attributes")} == {
            "customer_id": "ann",
            "import_id": "i",
            "attributes": {"page": "/"},
        }
    assert by_offset[3]["import_id"] is None
    assert letters == []
    assert [(row[3], row[4], row[5], row[6]) for row in table.ledger] == [(0, 6, 5, 0)]


async def test_what_cannot_be_read_becomes_a_dead_letter_with_its_own_bytes():
    ids = RegisteredIds(Shelf({2: evolved(), 3: without("channel"), 6: latest("journeys").schema}), OWN)
    new = Writer(evolved(), 2)
    good = {**sample(0), "mood": "x"}
    bad = {
        "schema_id": [header(99) + b"x", Writer(without("channel"), 3)(sample(1)), header(6) + b"journey"],
        "body": [new(good) + b"\0", new(good)[:-1]],
        "framing": [b"junk", b""],
    }
    values = [value for group in bad.values() for value in group]
    table, letters = Table(), []
    await lander(table, ids, letters).land([chunk(new(good), *values)])
    assert offsets(table) == [[0]]
    decode = Decoder("rejected", ids)
    assert [decode(letter)["code"] for letter in letters] == [code for code, group in bad.items() for _ in group]
    assert [decode(letter)["original"] for letter in letters] == values
    assert "channel is not written" in decode(letters[1])["message"]
    assert [(row[5], row[6]) for row in table.ledger] == [(1, len(values))]


async def test_what_the_engine_refuses_of_a_newer_version_keeps_the_bytes_that_came():
    ids = RegisteredIds(Shelf({2: evolved()}), OWN)
    new = Writer(evolved(), 2)
    values = [new({**sample(n, customer_id="eve" if n == 2 else "ann"), "mood": "x"}) for n in range(4)]
    table, letters = Table(dislikes="eve"), []
    await lander(table, ids, letters).land([chunk(*values)])
    (letter,) = map(Decoder("rejected", ids), letters)
    assert (letter["code"], letter["offset"], letter["original"]) == ("refused", 2, values[2])
    assert letter["original_sha256"] == hashlib.sha256(values[2]).hexdigest()
    assert sorted(offset for block in offsets(table) for offset in block) == [0, 1, 3]


async def test_a_registry_out_of_reach_holds_everything_and_refuses_nothing():
    shelf = Shelf({2: evolved()})
    ids = RegisteredIds(shelf, OWN)
    shelf.open = False
    table, letters = Table(), []
    values = [Encoder("touchpoints", ids)(sample(0)), Writer(evolved(), 2)({**sample(1), "mood": "x"})]
    landing = asyncio.create_task(lander(table, ids, letters).land([chunk(*values)]))
    await shelf.refused.wait()
    assert not landing.done()
    assert table.blocks == table.ledger == letters == []
    shelf.open = True
    await landing
    assert offsets(table) == [[0], [1]]


async def test_without_a_registry_a_newer_version_lands_once_its_file_is_there(tmp_path):
    value = Writer(evolved(), 1_002)({**sample(0), "mood": "x"})
    table, letters = Table(), []
    landing = lander(table, LocalIds(tmp_path), letters)
    await landing.land([chunk(value)])
    (letter,) = map(Decoder("rejected"), letters)
    assert letter["code"] == "schema_id"
    add_version(tmp_path, evolved())
    await landing.land([chunk(value)])
    assert offsets(table) == [[0]]
    assert json.dumps(letter["message"]).count("newer than this worker") == 1
