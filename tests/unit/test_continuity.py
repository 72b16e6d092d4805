"""Reading on after a lost connection: the log must still be the one that was read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from faust.types import TP

from agents.chunk import Chunk
from agents.continuity import Continuity
from pipeline.errors import AnotherLogError
from pipeline.marks import Start, check_of

PARTITION = TP("touchpoints", 0)


@dataclass
class Record:
    offset: int
    value: bytes = b"a"
    timestamp: int = 7
    key: bytes | None = None


class Reading:
    """One partition, from a start on, and where Kafka's client stands in it."""

    def __init__(self, start: Start) -> None:
        self.continuity = Continuity()
        self.continuity.begin({PARTITION: start.position})
        self.continuity.remember({PARTITION: start})
        self.after = start.position

    def read(self, *records: Record, after: int | None = None) -> Chunk | None:
        """Read records, and stand `after` them."""
        if records:
            self.after = records[-1].offset + 1
        if after is not None:
            self.after = after
        return self.continuity.chunk(PARTITION, self.after, records)  # type: ignore[arg-type]

    def lose_connection(self) -> int:
        """The position that is read from then."""
        self.after = self.continuity.go_back()[PARTITION]
        return self.after


def offsets(chunk: Chunk | None) -> list[int]:
    return [record.offset for record in chunk.records] if chunk else []


@pytest.fixture
def reading() -> Reading:
    """Stands at 12: the record at 9 was the last, and markers came after it."""
    reading = Reading(Start(8))
    assert offsets(reading.read(Record(8), Record(9))) == [8, 9]
    markers = reading.read(after=12)
    assert markers and (markers.first, markers.next) == (10, 12)
    return reading


def test_without_a_lost_connection_chunks_follow_one_another(reading: Reading) -> None:
    assert reading.read() is None
    chunk = reading.read(Record(12), Record(13))
    assert chunk and (chunk.first, chunk.next) == (12, 14)
    with pytest.raises(AnotherLogError, match="ends before 14"):
        reading.read(after=3)


def test_the_last_record_is_read_again_and_handed_over_once(reading: Reading) -> None:
    assert reading.lose_connection() == 9
    assert reading.read() is None
    assert reading.read(Record(9)) is None
    assert reading.read(after=11) is None
    chunk = reading.read(Record(12))
    assert chunk and (chunk.first, chunk.next, offsets(chunk)) == (12, 13, [12])
    assert reading.lose_connection() == 12


def test_what_comes_with_the_last_record_is_not_lost(reading: Reading) -> None:
    reading.lose_connection()
    chunk = reading.read(Record(9), Record(12), Record(13))
    assert chunk and (chunk.first, chunk.next, offsets(chunk)) == (12, 14, [12, 13])


def test_a_record_that_was_taken_away_is_not_missed(reading: Reading) -> None:
    reading.lose_connection()
    assert offsets(reading.read(Record(15))) == [15]


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([Record(9, b"b")], id="another record in its place"),
        pytest.param([Record(9, b"b"), Record(10), Record(11), Record(12), Record(13)], id="and more behind it"),
        pytest.param([Record(9), Record(10)], id="a record where there was none"),
        pytest.param([Record(11), Record(12)], id="a record where there was none, and the last one gone"),
    ],
)
def test_another_log_is_noticed(reading: Reading, records: list[Record]) -> None:
    reading.lose_connection()
    with pytest.raises(AnotherLogError, match="another record stands at"):
        reading.read(*records)


def test_a_log_that_ends_before_is_noticed(reading: Reading) -> None:
    reading.lose_connection()
    with pytest.raises(AnotherLogError, match="ends before 9"):
        reading.read(after=0)


def test_what_a_mark_remembers_is_compared_before_anything_was_read() -> None:
    reading = Reading(Start(5, check_of(Record(4))))
    assert reading.lose_connection() == 4
    assert offsets(reading.read(Record(4), Record(5))) == [5]
    reading = Reading(Start(5, check_of(Record(4))))
    reading.lose_connection()
    with pytest.raises(AnotherLogError):
        reading.read(Record(4, b"b"), Record(5))


def test_where_nothing_is_known_reading_goes_on() -> None:
    reading = Reading(Start(5))
    assert reading.lose_connection() == 5
    assert offsets(reading.read(Record(5))) == [5]


def test_what_is_forgotten_may_not_be_read() -> None:
    reading = Reading(Start(5, check_of(Record(4))))
    reading.continuity.forget()
    assert PARTITION not in reading.continuity
    assert reading.continuity.go_back() == {}
    reading.continuity.remember({PARTITION: Start(5, check_of(Record(4)))})
    assert reading.continuity.go_back() == {}
