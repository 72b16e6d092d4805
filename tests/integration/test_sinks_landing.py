"""One suite for every landing table: blocks in, rows out, and what is refused."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, UnavailableError
from sinks import ledger
from sinks.clickhouse import Client, QueryError, RefusedBlock, connect
from sinks.ledger import Landed
from tests.integration.sinks_samples import EPOCH, MAKE, PARTITION, REASON, Value, block, several, values
from tests.integration.sinks_server import Server, database

TOPICS = sorted(MAKE)
ROWS = 40

Spoil = Callable[[bytes, random.Random], bytes]
SPOILT: dict[str, Spoil] = {
    "padded": lambda body, rng: body + rng.randbytes(rng.randint(1, 3)),
    "cut": lambda body, rng: body[: -rng.randint(1, 3)],
    "zeroed": lambda body, _: bytes(len(body)),
    "random": lambda body, rng: rng.randbytes(len(body)),
    "empty": lambda *_: b"",
}


@pytest.fixture
def client(emptied: Client) -> Client:
    return emptied


@pytest.fixture
async def altered(engine: Server) -> AsyncIterator[Client]:
    """A database of the test's own, whose tables it may alter."""
    async with database(engine, "altered") as client:
        yield client


async def offsets(client: Client, topic: str) -> list[int]:
    rows = await client.query(f"SELECT DISTINCT kafka_offset FROM {topic}_log ORDER BY 1")
    return [offset for (offset,) in rows]


@pytest.mark.parametrize("topic", TOPICS)
async def test_a_block_becomes_rows_with_their_position(client: Client, topic: str) -> None:
    await client.insert_avro(f"{topic}_log", block(topic, several(topic, ROWS, first=100)), "token")
    rows = await client.query(
        f"SELECT kafka_epoch, kafka_partition, count(), min(kafka_offset), max(kafka_offset)"
        f" FROM {topic}_log GROUP BY ALL"
    )
    assert rows == [(EPOCH, PARTITION, ROWS, 100, 100 + ROWS - 1)]


@pytest.mark.parametrize("topic", TOPICS)
async def test_every_field_arrives_unchanged(client: Client, topic: str) -> None:
    sample = MAKE[topic](5)
    await client.insert_avro(f"{topic}_log", block(topic, values(topic, [sample])), "token")
    fields = sorted(sample)
    [row] = await client.query(f"SELECT {', '.join(f'`{field}`' for field in fields)} FROM {topic}_log")
    assert {field: plain(value) for field, value in zip(fields, row, strict=True)} == expected(sample)


def plain(value: Any) -> Any:
    """Return a value of ClickHouse as the record had it."""
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=UTC).timestamp() * 1000)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return str(value) if type(value).__name__ == "UUID" else value


def expected(sample: dict[str, Any]) -> dict[str, Any]:
    """Return the sample; the client shows bytes that are no text in hexadecimal."""
    return {key: value.hex() if isinstance(value, bytes) else value for key, value in sample.items()}


@pytest.mark.parametrize("topic", TOPICS)
async def test_the_same_again_changes_nothing(client: Client, topic: str) -> None:
    container = block(topic, several(topic, ROWS))
    for _ in range(2):
        await client.insert_avro(f"{topic}_log", container, "token")
        assert await client.query(f"SELECT count() FROM {topic}_log") == [(ROWS,)]
    await client.insert_avro(f"{topic}_log", container, "another token")
    view = f"{topic}_log FINAL" if topic == "late" else topic  # late_touchpoints joins it with what else is known
    assert await client.query(f"SELECT count() FROM {view}") == [(ROWS,)]
    assert await client.query("SELECT count() FROM visits") == [(ROWS if topic == "journeys" else 0,)]


@pytest.mark.parametrize("topic", ["touchpoints", "journeys"])
async def test_other_bytes_under_the_same_token_are_not_skipped(client: Client, topic: str) -> None:
    await client.insert_avro(f"{topic}_log", block(topic, several(topic, 2)), "token")
    await client.insert_avro(f"{topic}_log", block(topic, several(topic, 2, first=2)), "token")
    assert await offsets(client, topic) == [0, 1, 2, 3]


@pytest.mark.parametrize("how", sorted(SPOILT))
@pytest.mark.parametrize("topic", TOPICS)
async def test_one_bad_body_refuses_the_whole_block(client: Client, topic: str, how: str) -> None:
    rng = random.Random(f"{topic} {how}")
    for attempt in range(6):
        records = several(topic, ROWS, first=attempt * ROWS)
        victim = rng.randrange(ROWS)
        records[victim] = records[victim].with_body(SPOILT[how](records[victim].body, rng))
        with pytest.raises(RefusedBlock):
            await client.insert_avro(f"{topic}_log", block(topic, records), f"{attempt}")
    tables = [f"{topic}_log", *(["visits_log"] if topic == "journeys" else [])]
    for table in tables:
        assert await client.query(f"SELECT count() FROM {table}") == [(0,)]


@pytest.mark.parametrize("topic", TOPICS)
async def test_bodies_that_make_up_for_each_other_are_refused(client: Client, topic: str) -> None:
    """Two bodies with a byte moved between them: the block is as long as it should be."""
    records = several(topic, 2)
    first, second = records[0].body, records[1].body
    records = [records[0].with_body(first + second[:1]), records[1].with_body(second[1:])]
    with pytest.raises(RefusedBlock):
        await client.insert_avro(f"{topic}_log", block(topic, records), "token")
    assert await offsets(client, topic) == []


async def test_an_insert_that_leaves_the_framing_out_is_refused(client: Client) -> None:
    """Without the two framing offsets nothing would tell that a block lines up."""
    for topic in TOPICS:
        with pytest.raises(QueryError, match="misaligned"):
            await client.command(f"INSERT INTO {topic}_log (kafka_epoch) VALUES (1)")


async def test_a_large_block_is_one_part(client: Client) -> None:
    count = 200_000
    sample = several("touchpoints", 1)[0].value
    records = [Value(offset, sample) for offset in range(count)]
    journeys = several("journeys", 1)[0].value
    await client.insert_avro("touchpoints_log", block("touchpoints", records), "token")
    await client.insert_avro("journeys_log", block("journeys", [Value(o, journeys) for o in range(count)]), "token")
    parts = await client.query(
        "SELECT table, count() FROM system.parts WHERE active AND table IN ('touchpoints_log', 'journeys_log',"
        f" 'visits_log') AND database = '{client.database}' GROUP BY table ORDER BY table"
    )
    assert parts == [("journeys_log", 1), ("touchpoints_log", 1), ("visits_log", 1)]


async def test_an_older_schema_takes_the_defaults(altered: Client) -> None:
    await altered.command("ALTER TABLE risk_log ADD COLUMN added Nullable(String), ADD COLUMN more Int64 DEFAULT 5")
    await altered.insert_avro("risk_log", block("risk", several("risk", 1)), "token")
    assert await altered.query("SELECT added, more FROM risk_log") == [(None, 5)]


async def test_a_failing_view_fails_the_insert_and_the_retry_completes_it(altered: Client) -> None:
    container = block("journeys", several("journeys", ROWS))
    await altered.command("ALTER TABLE visits_log ADD CONSTRAINT never CHECK touchpoints > 1000")
    with pytest.raises(UnavailableError):
        await altered.insert_avro("journeys_log", container, "token")
    await altered.command("ALTER TABLE visits_log DROP CONSTRAINT never")
    await altered.insert_avro("journeys_log", container, "token")
    assert await altered.query("SELECT count() FROM journeys") == [(ROWS,)]
    assert await altered.query("SELECT count() FROM visits") == [(ROWS,)]


async def test_reasons_can_be_read_by_name(client: Client) -> None:
    await client.insert_avro("risk_log", block("risk", several("risk", 1)), "token")
    assert await client.query("SELECT reasons FROM risk") == [([REASON],)]
    assert await client.query("SELECT reasons.code, reasons.points FROM risk") == [(["unresolved"], [12.5])]


async def test_the_ledger_remembers_ranges(client: Client) -> None:
    entries = [
        Landed("touchpoints", 1, 0, 0, 10, 9, 1, "worker"),
        Landed("touchpoints", 1, 0, 10, 25, 14, 0, "worker"),
        Landed("touchpoints", 1, 1, 0, 5, 5, 0, "worker"),
        Landed("touchpoints", 2, 0, 0, 3, 3, 0, "worker"),
        Landed("journeys", 1, 0, 0, 99, 50, 0, "worker"),
    ]
    await ledger.record(client, entries[:3])
    await ledger.record(client, entries[3:])
    assert await ledger.marks(client, "touchpoints", 1) == {0: 25, 1: 5}
    assert await ledger.marks(client, "touchpoints", 3) == {}
    assert await ledger.ranges(client, "touchpoints", 1) == entries[:3]
    assert await ledger.ranges(client, "touchpoints") == entries[:4]


async def test_errors_say_whose_fault_it_is(engine: Server, client: Client) -> None:
    with pytest.raises(QueryError, match="nothing_here") as failure:
        await client.query("SELECT * FROM nothing_here")
    assert failure.value.code == 60
    with pytest.raises(UnavailableError, match="missing_log"):
        await client.insert_avro("missing_log", block("risk", several("risk", 1)), "token")
    with pytest.raises(QueryError, match="516"):
        await connect(engine.url, "default", "wrong")
    with pytest.raises(UnavailableError, match="did not answer"):
        await connect("http://127.0.0.1:9", "default", "")
    with pytest.raises(ConfigurationError, match="http://host"):
        await connect("localhost:8123", "default", "")
