"""The block that landing inserts: joined undecoded, readable by any Avro reader, each body between its offsets."""

from dataclasses import dataclass
from io import BytesIO

import fastavro
import pytest

from schemas.block import bodies, container, landing_schema, long
from schemas.codec import Encoder
from schemas.contracts import SUBJECTS, latest
from tests.reference import START, Record, touchpoint

CONTRACT = latest("touchpoints")


@dataclass
class Value:
    offset: int
    value: bytes | None


def values(*offsets: int) -> list[Value]:
    encode = Encoder("touchpoints")
    return [Value(offset, encode(touchpoint(offset % 1_000, START + offset))) for offset in offsets]


def read(block: bytes) -> list[Record]:
    return list(fastavro.reader(BytesIO(block)))


@pytest.mark.parametrize("number", [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**31, 2**38 - 1, 2**63 - 1, -(2**63)])
def test_longs_are_as_avro_has_them(number):
    out = BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    assert long(number) == out.getvalue()


def test_a_block_of_several_partitions_reads_back_with_matching_offsets():
    first, second = values(5, 7, 300), values(0, 2**38 - 1)
    parts = bodies(3_000_000, 2, first) + bodies(3_000_000, 11, second)
    rows = read(container(CONTRACT, 5, parts))
    assert [(row["kafka_epoch"], row["kafka_partition"], row["offset_before"]) for row in rows] == [
        (3_000_000, partition, value.offset) for partition, part in ((2, first), (11, second)) for value in part
    ]
    assert all(row["offset_before"] == row["offset_after"] for row in rows)
    assert [row["customer_id"] for row in rows] == ["ann"] * 5
    assert [row["occurred_at"].timestamp() * 1_000 for row in rows[:2]] == pytest.approx([START + 5, START + 7])


def test_an_empty_block_reads_back_empty():
    assert read(container(CONTRACT, 0, [])) == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_landing_schema_is_the_contract_between_its_position(subject):
    fields = [field["name"] for field in landing_schema(latest(subject))["fields"]]
    own = [field["name"] for field in latest(subject).schema["fields"]]
    assert fields == ["kafka_epoch", "kafka_partition", "offset_before", *own, "offset_after"]
    fastavro.parse_schema(landing_schema(latest(subject)))


@pytest.mark.parametrize("change", [-3, -2, -1, 1, 2, 3])
def test_a_body_of_another_length_never_passes_for_whole(change):
    """The reader fails, or the offsets before and after disagree: a neighbour is never shifted unseen."""
    records = values(10, 11, 12, 13)
    body = records[1].value
    assert body is not None
    records[1].value = body[:change] if change < 0 else body + b"\x02" * change
    try:
        rows = read(container(CONTRACT, 4, bodies(1, 0, records)))
    except Exception:
        return
    assert any(row["offset_before"] != row["offset_after"] for row in rows)
