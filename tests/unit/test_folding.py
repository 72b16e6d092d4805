"""A chunk through the customers agent: what is wrong becomes a dead letter with its code, the rest goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import uuid

import pytest
from aiokafka import ConsumerRecord
from msgspec.structs import replace

from agents.chunk import Chunk
from agents.folding import Folding, Outputs
from pipeline.customer import Rules
from pipeline.settings import Settings
from pipeline.state import load
from schemas.codec import Decoder, Encoder, header
from tests.reference import DAY, START, Consumer, Record, Story, touchpoint

EPOCH = 7
PARTITION = 3
NOW = START + 100 * DAY
ENCODE = Encoder("touchpoints")


def consumed(offset: int, key: bytes | None, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord(
        topic="touchpoints",
        partition=PARTITION,
        offset=offset,
        timestamp=NOW,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=(),
    )


def good(offset: int, record: Record) -> ConsumerRecord:
    return consumed(offset, record["customer_id"].encode(), ENCODE(record))


def chunk(*records: ConsumerRecord) -> Chunk:
    return Chunk("touchpoints", PARTITION, records[0].offset, records[-1].offset + 1, records)


def folded(*records: ConsumerRecord, before: dict[bytes, bytes] | None = None, now: int = NOW) -> Outputs:
    return Folding(Rules.of(Settings()), EPOCH)(chunk(*records), before or {}, now)


def rows(subject: str, messages: list) -> list[Record]:
    decode = Decoder(subject)
    return [decode(value) for _, value in messages]


def bad_records() -> dict[str, tuple[str, ConsumerRecord]]:
    """By name: the code it must get, and the record, at offset 1 and under ann's key where it has one."""
    whole = ENCODE(touchpoint(2))

    def under_ann(value: bytes | None) -> ConsumerRecord:
        return consumed(1, b"ann", value)

    def wrong(**fields: object) -> ConsumerRecord:
        return under_ann(ENCODE(touchpoint(2) | fields))

    return {
        "tombstone": ("framing", under_ann(None)),
        "empty": ("framing", under_ann(b"")),
        "json": ("framing", under_ann(b'{"event_id": "1"}')),
        "unknown schema": ("schema_id", under_ann(header(1_999) + whole[5:])),
        "schema of another topic": ("schema_id", under_ann(header(2_001) + whole[5:])),
        "short body": ("body", under_ann(whole[:-1])),
        "long body": ("body", under_ann(whole + b"\0")),
        "garbage": ("body", under_ann(header(1_001) + b"\xff" * 40)),
        "no key": ("contract", consumed(1, None, whole)),
        "another customer's key": ("contract", consumed(1, b"bob", whole)),
        "another customer under a known key": ("contract", wrong(customer_id="eve")),
        "far future": ("contract", wrong(occurred_at=START + 200 * DAY)),
        "before 1970": ("contract", wrong(occurred_at=-1)),
        "bad id": ("contract", wrong(event_id="not-a-uuid")),
        "odd id": ("contract", wrong(event_id="-" * 4 + touchpoint(2)["event_id"].replace("-", ""))),
        "spaced id": ("contract", wrong(event_id=touchpoint(2)["event_id"].replace("-", " "))),
        "no number": ("contract", wrong(value=math.nan)),
        "boundless": ("contract", wrong(value=math.inf)),
        "boundless mood": ("contract", wrong(sentiment=-math.inf)),
        "half a rating": ("contract", wrong(rating_metric="nps")),
    }


@pytest.mark.parametrize("name", bad_records())
def test_one_bad_record_is_refused_alone_and_its_neighbours_go_on(name):
    code, bad = bad_records()[name]
    first, last = touchpoint(1), touchpoint(3, START + 1)
    out = folded(good(0, first), bad, good(2, last))
    (letter,) = rows("rejected", out.rejected)
    assert letter["code"] == code
    assert letter["message"]
    assert (letter["topic"], letter["epoch"], letter["partition"], letter["offset"]) == (
        "touchpoints",
        EPOCH,
        PARTITION,
        1,
    )
    assert letter["original"] == (bad.value or b"")
    assert letter["original_sha256"] == hashlib.sha256(bad.value or b"").hexdigest()
    (customer,) = rows("customers", out.customers)
    assert (customer["customer_id"], customer["touchpoints"]) == ("ann", 2)
    assert [key for key, _ in out.changelog] == [b"ann"]
    load(out.changelog[0][1])


PATHS = {
    "no key": "customer_id",
    "another customer's key": "customer_id",
    "another customer under a known key": "customer_id",
    "far future": "occurred_at",
    "before 1970": "occurred_at",
    **dict.fromkeys(("bad id", "odd id", "spaced id"), "event_id"),
    "no number": "value",
    "boundless": "value",
    "boundless mood": "sentiment",
    "half a rating": "rating_score",
}


@pytest.mark.parametrize("name", bad_records())
def test_a_refusal_names_its_field_and_the_event_where_they_can_be_read(name):
    code, bad = bad_records()[name]
    (letter,) = rows("rejected", folded(bad).rejected)
    event_id = Decoder("touchpoints")(bad.value)["event_id"] if code == "contract" else None
    assert letter["path"] == PATHS.get(name, "")
    assert letter["event_id"] == event_id


def test_a_refusal_names_the_import_that_brought_it():
    record = touchpoint(2, occurred_at=-1, import_id="an import")
    (letter,) = rows("rejected", folded(good(0, record)).rejected)
    assert letter["import_id"] == "an import"


def test_a_dead_letters_id_is_the_same_after_a_replay_and_no_others():
    bad = bad_records()["short body"][1]
    elsewhere = consumed(2, b"ann", bad.value)
    ids = [row["dead_letter_id"] for row in rows("rejected", folded(bad, elsewhere).rejected)]
    again = [row["dead_letter_id"] for row in rows("rejected", folded(bad, now=NOW + DAY).rejected)]
    assert len(set(ids)) == 2
    assert again == ids[:1]
    assert uuid.UUID(ids[0]).version == 5


def test_customers_do_not_mix():
    out = folded(*(good(n, touchpoint(n, START + n, customer_id=f"c{n % 3}")) for n in range(9)))
    assert {row["customer_id"]: row["touchpoints"] for row in rows("customers", out.customers)} == {
        "c0": 3,
        "c1": 3,
        "c2": 3,
    }
    for messages in (out.journeys, out.customers, out.risk, out.changelog):
        assert {key for key, _ in messages} == {b"c0", b"c1", b"c2"}
    assert [row["customer_id"].encode() for row in rows("journeys", out.journeys)] == [key for key, _ in out.journeys]


def test_chunks_and_replays_come_to_the_same_story():
    log = [touchpoint(40 - n, START + (n * 17 % 40) * DAY, "phone.inquiry", outcome="resolved") for n in range(40)]
    log += log[:5]
    records = [good(offset * 3, record) for offset, record in enumerate(log)]
    consumer, states = Consumer(), {}
    for first in range(0, len(records), 7):
        part = records[first : first + 7]
        out = folded(*part, before=states)
        consumer.take(rows("journeys", out.journeys))
        states |= dict(out.changelog)
        replayed = folded(*part, before=states)
        assert not any(replayed.by_topic().values())
    assert consumer.journeys() == Story(log).journeys()
    assert consumer.visits() == Story(log).visits()


def test_the_states_before_are_left_as_they_were():
    before = dict(folded(good(0, touchpoint(1))).changelog)
    kept = dict(before)
    folded(good(1, touchpoint(2)), before=before)
    assert before == kept


def test_only_duplicates_give_nothing():
    before = dict(folded(good(0, touchpoint(1))).changelog)
    assert not any(folded(good(1, touchpoint(1)), before=before).by_topic().values())


def test_each_chunk_is_scored_by_the_model_of_its_moment() -> None:
    rules = Rules.of(Settings())
    models = [rules.model, rules.model._replace(model=replace(rules.model.model, version="newer"))]
    folding = Folding(lambda: dataclasses.replace(rules, model=models[0]), EPOCH)
    versions = []
    for number in range(2):
        out = folding(chunk(good(number, touchpoint(number))), {}, NOW)
        versions += [row["model_version"] for row in rows("customers", out.customers)]
        models.reverse()
    assert versions == ["default-4", "newer"]
