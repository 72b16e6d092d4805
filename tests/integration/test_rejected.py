"""Dead letters on the whole stack: refused by HTTP, by a backfill and in Kafka; shown; replayed, and counted once."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.attach import Target, attach
from pipeline.backfill import backfill
from pipeline.backfill_sort import Sorter
from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.publisher import Publisher
from pipeline.replay import Replay
from pipeline.settings import Settings
from schemas.codec import Encoder
from sinks.clickhouse import Client
from sinks.letters import DeadLetters, Where
from tests.command import Answer, touchline
from tests.integration.sinks_samples import journey, touchpoint

HOUR = 3_600_000
ENCODE = Encoder("touchpoints")


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    folder = tmp_path_factory.mktemp("stack")
    async with (
        Installation(Settings(collector_port=0, collector_private_port=0), folder),
        attach(Settings(), folder) as target,
    ):
        yield target


@pytest.fixture(scope="module")
async def client(target: Target) -> AsyncIterator[Client]:
    async with await target.clickhouse() as client:
        yield client


@pytest.fixture
def customer() -> str:
    return f"customer-{uuid.uuid4()}"


async def command(target: Target, *words: str) -> Answer:
    return await touchline("rejected", *words, "--data", str(target.data))


async def landed(target: Target, client: Client) -> None:
    await wait_until_landed(target.kafka_url, client, timeout=60)


async def count(client: Client, table: str, customer: str) -> int:
    [(found,)] = await client.query(
        f"SELECT count() FROM {table} WHERE customer_id = {{customer:String}}", {"customer": customer}
    )
    return int(found)


async def post(target: Target, raw: bytes, **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Bearer {target.write_key}", "Content-Type": "application/json", **headers}
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(f"{target.collector_url}/v1/touchpoints", content=raw, headers=sent)


async def poison(target: Target, topic: str, *values: tuple[bytes, bytes]) -> None:
    publisher = Publisher(target.kafka_url)
    await publisher.publish(topic, list(values))
    await publisher.stop()


def ahead(customer: str, hours: float = 30) -> dict[str, Any]:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    return {
        "customer_id": customer,
        "occurred_at": moment.isoformat(timespec="milliseconds"),
        "channel": "web",
        "touchpoint": "page_view",
    }


async def test_a_refusal_is_listed_shown_and_given_back_byte_for_byte(
    target: Target, client: Client, customer: str
) -> None:
    raw = json.dumps({**ahead(customer, 0), "channel": f"wbe\x1b {customer[:30]}"}, indent=1).encode()
    assert (await post(target, raw)).status_code == 422
    await landed(target, client)
    listed = await command(target, "list", "--code", "unknown_channel", "--source", "http", "--json")
    assert listed.status == 0, listed.errors
    facts = listed.json()
    assert (facts["total"], facts["patterns"][0]["path"], facts["patterns"][0]["letters"]) == (1, "channel", 1)
    [letter] = facts["letters"]
    shown = await command(target, "show", letter["dead_letter_id"], "--json")
    assert base64.b64decode(shown.json()["original"]) == raw
    assert json.loads(shown.json()["original_text"]) == json.loads(raw)
    table = await command(target, "list", "--code", "unknown_channel")
    assert letter["dead_letter_id"] in table.output and "1 dead letters" in table.output
    text = await command(target, "show", letter["dead_letter_id"])
    assert "original (json" in text.output and customer in text.output
    assert "\x1b" not in text.output + table.output
    original = await command(target, "show", letter["dead_letter_id"], "--original")
    assert original.output.encode() == raw
    none = await command(target, "list", "--until", "2020-01-01T00:00:00Z")
    assert (none.status, none.output, none.errors.strip()) == (0, "", "no dead letters match")


async def test_a_request_again_keeps_its_refusals_once(target: Target, client: Client, customer: str) -> None:
    keyed, known, bare = (ahead(f"{customer}-{kind}") for kind in ("keyed", "known", "bare"))
    known["event_id"] = str(uuid.uuid4())
    for _ in range(2):
        await post(target, json.dumps(keyed).encode(), **{"Idempotency-Key": customer})
        await post(target, json.dumps(known).encode())
        await post(target, json.dumps(bare).encode())
    await landed(target, client)
    query = (
        "SELECT JSONExtractString(original, 'customer_id') AS who, count() FROM rejected WHERE who LIKE {who:String}"
    )
    rows = await client.query(f"{query} GROUP BY who ORDER BY who", {"who": f"{customer}%"})
    assert rows == [(f"{customer}-bare", 2), (f"{customer}-keyed", 1), (f"{customer}-known", 1)]


async def test_an_event_refused_for_its_time_is_taken_when_its_time_has_come(
    target: Target, client: Client, customer: str
) -> None:
    event = ahead(customer)
    assert (await post(target, json.dumps([event, event]).encode(), **{"Idempotency-Key": customer})).status_code == 422
    await landed(target, client)
    ids = await client.query(
        "SELECT toString(dead_letter_id), event_id FROM rejected"
        " WHERE JSONExtractString(original, 'customer_id') = {customer:String}",
        {"customer": customer},
    )
    where = Where(ids=tuple(letter for letter, _ in ids), replayed=False)
    now = time.time_ns() // 1_000_000
    assert await replay(target, client, where, now) == (2, 0, 2)
    assert await replay(target, client, where, now + 10 * HOUR) == (2, 2, 0)
    assert await replay(target, client, where, now + 10 * HOUR) == (0, 0, 0)
    await landed(target, client)
    rows = await client.query(
        "SELECT toString(event_id), source, toUnixTimestamp64Milli(received_at) FROM touchpoints WHERE"
        " customer_id = {customer:String}",
        {"customer": customer},
    )
    assert sorted(rows) == sorted((event_id, "http", now + 10 * HOUR) for _, event_id in ids)


async def replay(target: Target, client: Client, where: Where, now: int) -> tuple[int, int, int]:
    letters, publisher = DeadLetters(client), Publisher(target.kafka_url)
    with Sorter() as sorter:
        work = Replay(sorter, now)
        await work.read(letters.pages(where))
        await work.send(publisher, letters)
    await publisher.stop()
    result = work.result()
    assert result.accepted == result.sent
    return result.selected, result.sent, result.refused


async def test_lines_of_a_backfill(target: Target, client: Client, customer: str, tmp_path: Path) -> None:
    """Refused when imported with a clock that is behind; one of them for good."""
    file = tmp_path / "lines.jsonl"
    now = time.time_ns() // 1_000_000
    lines = [{**ahead(customer, -minute / 60), "value": minute % 5} for minute in range(600)]
    lines += [dict(reversed(lines[7].items())), lines[7], {**lines[0], "channel": "wbe"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = await backfill(file, target.kafka_url, now=now - 48 * HOUR)
    assert (result.accepted, result.rejected) == (0, len(lines))
    await landed(target, client)
    words = ("replay", "--import", result.import_id, "--json")

    dry = await command(target, *words, "--dry-run")
    assert dry.status == 1, dry.errors
    facts = dry.json()
    numbers = [facts[name] for name in ("selected", "accepted", "sent", "refused", "dry_run")]
    assert numbers == [len(lines), len(lines) - 1, 0, 1, True]
    assert facts["reasons"] == [{"code": "unknown_channel", "path": "channel", "letters": 1}]
    assert await count(client, "touchpoints", customer) == 0

    first = await command(target, *words)
    assert first.status == 1, first.errors
    assert (first.json()["sent"], first.json()["refused"]) == (len(lines) - 1, 1)
    assert await count(client, "touchpoints", customer) == len(lines) - 1
    assert await count(client, "journeys", customer) == 1

    second = await command(target, *words)
    assert (second.status, second.json()["selected"], second.json()["sent"]) == (1, 1, 0)
    again = await command(target, *words, "--again")
    assert again.json()["sent"] == len(lines) - 1
    assert await count(client, "touchpoints", customer) == len(lines) - 1
    left = await command(target, "list", "--import", result.import_id, "--not-replayed", "--json")
    assert left.json()["total"] == 1, "what is refused again stays, and gives no second dead letter"

    imported = await touchline("backfill", str(file), "--data", str(target.data), "--json")
    facts = imported.json()
    assert (facts["accepted"], facts["rejected"], facts["duplicates"]) == (len(lines) - 1, 1, len(lines) - 1)
    assert await count(client, "touchpoints", customer) == len(lines) - 1
    query = "SELECT DISTINCT source, import_id FROM touchpoints WHERE customer_id = {customer:String}"
    assert await client.query(query, {"customer": customer}) == [("backfill", result.import_id)]


async def until_rows(client: Client, query: str, parameters: dict[str, Any], rows: int) -> list[tuple[Any, ...]]:
    """What landing refuses lands as a dead letter a moment after all else."""
    async with asyncio.timeout(60):
        while len(found := await client.query(query, parameters)) < rows:
            await asyncio.sleep(0.1)
    return found


async def letter_of(target: Target, client: Client, event_id: str) -> tuple[Any, ...]:
    await landed(target, client)
    query = "SELECT source, code, path, toString(dead_letter_id) FROM rejected WHERE event_id = {id:String}"
    [row] = await until_rows(client, query, {"id": event_id}, 1)
    return row


async def folded(client: Client, customer: str) -> int:
    query = "SELECT sum(touchpoints) FROM customers WHERE customer_id = {customer:String}"
    return int((await client.query(query, {"customer": customer}))[0][0])


async def test_what_only_the_customers_agent_refused_is_made_right_for_both(
    target: Target, client: Client, customer: str
) -> None:
    now = time.time_ns() // 1_000_000
    record = touchpoint(
        0, customer_id=customer, occurred_at=now - HOUR, received_at=now, event_id=str(uuid.uuid4()), source="mine"
    )
    await poison(target, "touchpoints", (b"somebody else", ENCODE(record)))
    source, code, path, letter = await letter_of(target, client, record["event_id"])
    assert (source, code, path) == ("customers", "contract", "customer_id")
    assert (await count(client, "touchpoints", customer), await folded(client, customer)) == (1, 0)
    for extra in ((), (), ("--again",)):
        answer = await command(target, "replay", letter, *extra)
        assert answer.status == 0, answer.errors
    assert "already" in (await command(target, "replay", letter)).errors
    assert (await count(client, "touchpoints", customer), await folded(client, customer)) == (1, 1)
    shown = await command(target, "show", letter)
    assert "original (avro" in shown.output and customer in shown.output


async def test_what_only_clickhouse_refused_is_made_right_for_both(
    target: Target, client: Client, customer: str
) -> None:
    now = time.time_ns() // 1_000_000
    record = touchpoint(
        0, customer_id=customer, occurred_at=now - HOUR, received_at=now, event_id=str(uuid.uuid4()), staff_id="eve"
    )
    await client.command("ALTER TABLE touchpoints_log MODIFY COLUMN staff_id Nullable(UUID)")
    await poison(target, "touchpoints", (customer.encode(), ENCODE(record)))
    source, code, path, letter = await letter_of(target, client, record["event_id"])
    assert (source, code, path) == ("landing", "refused", "")
    assert (await count(client, "touchpoints", customer), await folded(client, customer)) == (0, 1)
    await client.command("ALTER TABLE touchpoints_log MODIFY COLUMN staff_id Nullable(String)")
    answer = await command(target, "replay", letter)
    assert answer.status == 1
    assert "--force" in answer.errors
    answer = await command(target, "replay", letter, "--force")
    assert answer.status == 0, answer.errors
    assert (await count(client, "touchpoints", customer), await folded(client, customer)) == (1, 1)


async def test_what_cannot_be_sent_again_is_said_letter_by_letter(
    target: Target, client: Client, customer: str
) -> None:
    broken = Encoder("journeys")(journey(1, customer_id=customer))[:-2]
    await poison(target, "journeys", (customer.encode(), broken))
    long = json.dumps({**ahead(customer, 0), "attributes": {"a": "x" * 70_000}}).encode()
    good = json.dumps(ahead(customer, 0)).encode()
    assert (await post(target, b"[" + long + b"," + good + b"]")).json()["accepted"] == 1
    await landed(target, client)
    query = "SELECT toString(dead_letter_id) FROM rejected WHERE topic = 'journeys' OR code = 'too_large'"
    ids = await until_rows(client, query, {}, 2)
    answer = await command(target, "replay", *(letter for (letter,) in ids))
    assert answer.status == 1
    assert "touchline rebuild" in answer.errors and "[not_replayable]" in answer.errors
    assert "bytes were kept" in answer.errors and "[cut]" in answer.errors
    shown = await command(target, "show", *ids[0])
    assert shown.status == 0 and "original (bytes" in shown.output + (await command(target, "show", *ids[1])).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nonsense"), "UUID"),
        (("show", str(uuid.UUID(int=1))), "there is no dead letter"),
        (("replay", str(uuid.UUID(int=1))), "there is no dead letter"),
        (("replay", str(uuid.UUID(int=1)), "--code", "x"), "not both"),
        (("replay", *(str(uuid.UUID(int=n)) for n in range(101))), "at most 100"),
        (("list", "--since", "yesterday"), "--since"),
    ],
)
async def test_wrong_words_are_answered_in_one_line(target: Target, words: tuple[str, ...], said: str) -> None:
    answer = await command(target, *words)
    assert (answer.status, len(answer.errors.splitlines()), said in answer.errors) == (2, 1, True)


async def test_after_all_of_it_the_audit_is_clean(target: Target) -> None:
    audit = await touchline("audit", "--data", str(target.data), "--json", "--deep")
    assert audit.status == 0, audit.output
