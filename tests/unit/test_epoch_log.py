"""The log of epochs: all readers come to the same, however many wrote at once."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict

import pytest

from pipeline.epoch_log import Beginning, Epoch, apply, is_of, minute_of, next_number


def read(*beginnings: Beginning) -> dict[str, Epoch]:
    known: dict[str, Epoch] = {}
    for beginning in beginnings:
        apply(known, b"any", json.dumps(asdict(beginning)).encode())
    return known


FIRST = [Beginning("risk", 10, None, "a"), Beginning("risk", 11, None, "b"), Beginning("risk", 9, None, "c")]
SECOND = [Beginning("risk", 20, 10, "d"), Beginning("risk", 21, 10, "e")]


def test_of_several_that_begin_at_once_the_first_in_the_log_stands() -> None:
    for order in itertools.permutations(FIRST):
        assert read(*order) == {"risk": Epoch(order[0].epoch, order[0].topic_id)}


def test_a_beginning_that_comes_too_late_is_passed_over() -> None:
    assert read(FIRST[0], *SECOND) == {"risk": Epoch(20, "d")}
    assert read(FIRST[0], SECOND[1], SECOND[0], FIRST[1]) == {"risk": Epoch(21, "e")}
    assert read(SECOND[0], FIRST[0]) == {"risk": Epoch(10, "a")}


def test_topics_do_not_meddle_with_one_another() -> None:
    assert read(FIRST[0], Beginning("alerts", 3, None)) == {"risk": Epoch(10, "a"), "alerts": Epoch(3)}


def test_records_of_old_say_the_topic_in_their_key_and_have_no_proviso() -> None:
    known: dict[str, Epoch] = {}
    for number in (4, 6):
        apply(known, b"risk", json.dumps({"epoch": number}).encode())
    assert known == {"risk": Epoch(6)}
    apply(known, None, json.dumps(asdict(Beginning("risk", 8, 6))).encode())
    assert known == {"risk": Epoch(8)}


def test_a_number_is_above_all_that_is_known() -> None:
    minute = minute_of(1_800_000_000)
    assert next_number(minute, None) == minute
    assert next_number(minute, None, 3) == minute
    assert next_number(minute, minute) == minute + 1
    assert next_number(minute, minute, minute + 5) == minute + 6
    assert next_number(minute - 10, minute) == minute + 1
    assert 0 < minute < 2**25


@pytest.mark.parametrize(
    ("epoch", "topic_id", "just_made", "same"),
    [
        (None, "a", False, False),
        (Epoch(1, "a"), "a", False, True),
        (Epoch(1, "a"), "a", True, True),  # another role made it a moment before, and began its epoch
        (Epoch(1, "a"), "b", False, False),
        (Epoch(1, "a"), "b", True, False),
        (Epoch(1), "a", False, True),  # begun by a version that noted no id
        (Epoch(1), "a", True, False),
        (Epoch(1, "a"), "", False, True),
        (Epoch(1), "", True, False),
    ],
)
def test_an_epoch_is_that_of_the_topic_with_its_id(
    epoch: Epoch | None, topic_id: str, just_made: bool, same: bool
) -> None:
    assert is_of(epoch, topic_id, just_made=just_made) is same
