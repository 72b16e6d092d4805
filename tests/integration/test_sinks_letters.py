"""Dead letters in a real engine: filters, pages, ordinals of identical lines, and what was replayed."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pipeline.letters import Letter, Replayed
from sinks.clickhouse import Client
from sinks.letters import DeadLetters, Where
from tests.integration.sinks_samples import START, Sample, block, rejected, uid, values
from tests.integration.sinks_server import Server, database

BYTES = bytes(range(256))


def event(number: int, **fields: Any) -> Sample:
    nowhere = {"topic": None, "epoch": None, "partition": None, "offset": None}
    return rejected(number, **{**nowhere, "source": "http", "code": "time_future", "path": "occurred_at", **fields})


def line(number: int, where: int, content: str, import_id: str = "one") -> Sample:
    return event(number, source="backfill", import_id=import_id, line=where, event_id=content)


LETTERS = [
    *(rejected(number, original=BYTES, original_length=256) for number in range(5)),
    *(event(10 + number, rejected_at=START + 1000 * (number + 1)) for number in range(7)),
    # Three identical lines, the first of them landed last; one of another content; the same content in another import.
    line(22, 9, "same"),
    line(21, 5, "same"),
    line(23, 6, "other"),
    line(24, 5, "same", "two"),
    line(20, 2, "same"),
    # Without the id that it would have had, its bytes tell.
    event(30, source="backfill", import_id="old", line=3, original_sha256="a"),
    event(31, source="backfill", import_id="old", line=8, original_sha256="a"),
]


@pytest.fixture(scope="module")
async def client(engine: Server) -> AsyncIterator[Client]:
    async with database(engine, "letters") as client:
        for first in (0, 1000):  # every letter has landed twice
            await client.insert_avro("rejected_log", block("rejected", values("rejected", LETTERS, first)), "token")
        yield client


@pytest.fixture
def letters(client: Client) -> DeadLetters:
    return DeadLetters(client)


async def found(letters: DeadLetters, where: Where = Where(), rows: int = 3) -> dict[str, Letter]:  # noqa: B008
    pages = [page async for page in letters.pages(where, rows)]
    assert all(0 < len(page) <= rows + 1 for page in pages)
    assert sum(map(len, pages)) == len({letter.dead_letter_id for page in pages for letter in page})
    return {letter.dead_letter_id: letter for page in pages for letter in page}


async def test_every_letter_comes_once_and_whole(letters: DeadLetters) -> None:
    for rows in (1, 4, 500):
        assert set(await found(letters, rows=rows)) == {sample["dead_letter_id"] for sample in LETTERS}
    one = await letters.get(uid("letter", 3))
    assert one is not None
    assert (one.original, one.rejected_at, one.offset, one.replayed_at) == (BYTES, START, 3, None)
    assert await letters.get(str(uuid.uuid4())) is None


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (Where(code="body"), range(5)),
        (Where(topic="touchpoints"), range(5)),
        (Where(source="http"), range(10, 17)),
        (Where(import_id="old"), (30, 31)),
        (Where(import_id="one", code="body"), ()),
        (Where(since=START + 3000, until=START + 5000), (12, 13)),
        (Where(ids=(uid("letter", 1), uid("letter", 30), str(uuid.UUID(int=1)))), (1, 30)),
        (Where(replayed=True), ()),
    ],
)
async def test_filters(letters: DeadLetters, where: Where, numbers: Any) -> None:
    wanted = {uid("letter", number) for number in numbers}
    assert set(await found(letters, where)) == wanted
    assert (await letters.patterns(where, 1))[0] == len(wanted)
    assert {letter.dead_letter_id for letter in await letters.newest(where, 100)} == wanted


async def test_patterns_come_with_their_numbers(letters: DeadLetters) -> None:
    total, patterns = await letters.patterns(Where(), 2)
    assert total == len(LETTERS)
    assert patterns == [
        ("time_future", "occurred_at", "backfill", 7, 0, START),
        ("time_future", "occurred_at", "http", 7, 0, START + 7000),
    ]


async def test_the_newest_come_first(letters: DeadLetters) -> None:
    newest = await letters.newest(Where(), 3)
    assert [letter.rejected_at for letter in newest] == [START + 7000, START + 6000, START + 5000]


@pytest.mark.parametrize("rows", [1, 2, 500])
@pytest.mark.parametrize("where", [Where(), Where(import_id="one")])
async def test_ordinals_count_identical_lines_of_one_file(letters: DeadLetters, where: Where, rows: int) -> None:
    ordinals = {key: letter.ordinal for key, letter in (await found(letters, where, rows)).items()}
    expected = {20: 0, 21: 1, 22: 2, 23: 0, 24: 0, 30: 0, 31: 1}
    for number, ordinal in expected.items():
        assert ordinals.get(uid("letter", number), ordinal) == ordinal
    only = await found(letters, Where(ids=(uid("letter", 22),)))
    assert [letter.ordinal for letter in only.values()] == [2], "whatever else is chosen"


async def test_what_was_replayed_is_known_and_can_be_left_out(client: Client, letters: DeadLetters) -> None:
    sent = [Replayed(uid("letter", number), uid("event", number)) for number in (10, 11)]
    await letters.mark(sent)
    await letters.mark(sent[:1])
    left = await found(letters, Where(source="http", replayed=False))
    assert set(left) == {uid("letter", number) for number in range(12, 17)}
    again = await found(letters, Where(replayed=True))
    assert set(again) == {letter for letter, _ in sent}
    assert all(letter.replayed_at is not None and letter.replayed_at > START for letter in again.values())
    assert (await letters.patterns(Where(source="http"), 5))[1][0].replayed == 2
    query = "SELECT toString(dead_letter_id), toString(event_id), outcome FROM replays_log FINAL ORDER BY event_id"
    rows = await client.query(query)
    assert sorted(rows) == sorted((*pair, "sent") for pair in sent)
    assert await client.query("SELECT count(), countIf(isNull(replayed_at)) FROM rejected") == [
        (len(LETTERS), len(LETTERS) - 2)
    ]
