"""Which positions are trusted: those of this very log."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from pipeline.marks import (
    Check,
    Log,
    Mark,
    States,
    Verdict,
    check_of,
    from_metadata,
    judge,
    states_are_whole,
    to_metadata,
)

EPOCH = 7
CHECK = Check(99, 12345)
MARK = Mark(EPOCH, 100, CHECK)
LOG = Log(0, 200, compacted=False, held=CHECK)


@dataclass
class Record:
    offset: int = 5
    timestamp: int = 1_700_000_000_000
    key: bytes | None = b"key"
    value: bytes | None = b"value"


def test_the_same_log_is_gone_on_with() -> None:
    assert judge(MARK, EPOCH, LOG) is Verdict.GO_ON
    assert judge(MARK, EPOCH, replace(LOG, end=100)) is Verdict.GO_ON


def test_a_mark_of_an_epoch_that_is_over_begins_whatever_the_log_holds() -> None:
    assert judge(MARK, EPOCH + 1, LOG) is Verdict.BEGIN
    assert judge(MARK, EPOCH + 1, replace(LOG, end=3, held=None)) is Verdict.BEGIN


@pytest.mark.parametrize(
    ("mark", "log"),
    [
        pytest.param(MARK, replace(LOG, end=99, held=CHECK), id="the log ends before the mark"),
        pytest.param(replace(MARK, check=None), replace(LOG, end=99, held=None), id="the same without a check"),
        pytest.param(Mark(None, 100), replace(LOG, end=99, held=None), id="the same, from before epochs were noted"),
        pytest.param(MARK, replace(LOG, held=Check(99, 54321)), id="another record stands there"),
        pytest.param(MARK, replace(LOG, held=None), id="no record stands there, and nothing takes any away"),
        pytest.param(replace(MARK, epoch=EPOCH + 1), LOG, id="an epoch that nobody knows"),
    ],
)
def test_another_log_is_noticed(mark: Mark, log: Log) -> None:
    assert judge(mark, EPOCH, log) is Verdict.ANOTHER_LOG


@pytest.mark.parametrize(
    ("mark", "log"),
    [
        pytest.param(MARK, replace(LOG, first=100, held=None), id="retention took the record"),
        pytest.param(MARK, replace(LOG, first=150, held=None), id="retention went past the mark"),
        pytest.param(MARK, replace(LOG, first=100, end=100, held=None), id="retention took everything"),
        pytest.param(MARK, replace(LOG, compacted=True, held=None), id="compaction took the record"),
        pytest.param(Mark(EPOCH, 100), LOG, id="nothing was noted"),
        pytest.param(Mark(None, 100), LOG, id="a mark from before epochs were noted"),
    ],
)
def test_what_cannot_be_looked_at_speaks_against_nothing(mark: Mark, log: Log) -> None:
    assert judge(mark, EPOCH, log) is Verdict.GO_ON


@pytest.mark.parametrize(
    "other",
    [
        Record(offset=6),
        Record(timestamp=1_700_000_000_001),
        Record(key=b"keyv", value=b"alue"),
        Record(key=None),
        Record(key=b""),
        Record(value=None),
        Record(value=b""),
        Record(value=b"valuf"),
    ],
)
def test_a_check_tells_records_apart(other: Record) -> None:
    assert check_of(other) != check_of(Record())
    assert check_of(other) == check_of(replace(other))


def test_a_digest_is_the_same_for_ever() -> None:
    assert check_of(Record()) == Check(5, 960_266_362_721_432_989)


def test_a_digest_fits_into_an_unsigned_integer_of_eight_bytes() -> None:
    assert all(0 <= check_of(Record(offset=offset)).digest < 2**64 for offset in range(100))


def test_states_are_whole_while_their_changelog_is() -> None:
    mark = replace(MARK, states=States(3, 50))
    assert states_are_whole(mark, epoch=3, end=50)
    assert not states_are_whole(mark, epoch=3, end=49)
    assert not states_are_whole(mark, epoch=4, end=50)
    assert states_are_whole(MARK, epoch=4, end=0)


@pytest.mark.parametrize(
    "mark", [MARK, Mark(EPOCH, 100), replace(MARK, states=States(3, 50)), Mark(EPOCH, 100, Check(99, 2**64 - 1))]
)
def test_a_mark_survives_the_way_through_kafka(mark: Mark) -> None:
    metadata = to_metadata(mark)
    assert len(metadata) < 4096
    assert from_metadata(100, metadata) == mark


@pytest.mark.parametrize("metadata", [None, "", "not ours", "[]", "7", '{"check": [1]}', '{"check": 1}'])
def test_metadata_that_are_not_ours_leave_the_position(metadata: str | None) -> None:
    assert from_metadata(100, metadata) == Mark(None, 100)
