"""What a worker holds: bounded by topic, given back, forgotten when partitions are assigned anew."""

from __future__ import annotations

from typing import Any

from aiokafka import ConsumerRecord

from agents.chunk import Chunk, size_of
from agents.flow import Flow, Turns


def flow(most: int = 1_000) -> Flow:
    made = Flow(most)
    for topic in ("touchpoints", "journeys"):
        made.watch(topic)
        made.begin((topic, 0), 0)
        made.begin((topic, 1), 0)
    return made


def chunk(topic: str, first: int, size: int, partition: int = 0, written: int = 5_000) -> Chunk:
    record: ConsumerRecord[Any, Any] = ConsumerRecord(topic, partition, first, written, 0, None, b"", None, 0, 0, ())
    return Chunk(topic, partition, first, first + 10, [record], size)


def test_a_topic_of_which_enough_is_held_is_not_read_on_and_others_are() -> None:
    held = flow()
    first, second = chunk("touchpoints", 0, 600), chunk("touchpoints", 10, 600)
    held.took(first)
    assert held.may_read(("touchpoints", 1))
    held.took(second)
    assert not held.may_read(("touchpoints", 0)) and not held.may_read(("touchpoints", 1))
    assert held.may_read(("journeys", 0))
    held.applied(first)
    assert held.may_read(("touchpoints", 0))
    assert held.held_bytes() == {"touchpoints": 600, "journeys": 0}


def test_chunks_of_a_partition_are_read_at_a_distance() -> None:
    now = 5.0
    held = Flow(1_000, lambda: now)
    held.watch("touchpoints", Turns(ahead=9, seconds=0.1))
    held.took(chunk("touchpoints", 0, 10))
    assert (held.may_read(("touchpoints", 0)), held.may_read(("touchpoints", 1))) == (False, True)
    now = 5.2
    assert held.may_read(("touchpoints", 0))
    held.took(Chunk("touchpoints", 0, 10, 11, [], 10))
    assert held.may_read(("touchpoints", 0))  # of nothing but a transaction's marker there is nothing to do


def test_of_a_partition_no_more_chunks_are_held_than_may_be() -> None:
    held = Flow(1_000)
    held.watch("touchpoints", Turns(ahead=2, seconds=0.0))
    first, second = chunk("touchpoints", 0, 10), chunk("touchpoints", 10, 10)
    held.took(first)
    assert held.may_read(("touchpoints", 0))
    held.took(second)
    assert not held.may_read(("touchpoints", 0))
    assert held.may_read(("touchpoints", 1))
    held.applied(first)
    held.applied(first)
    assert held.may_read(("touchpoints", 0))
    held.took(chunk("touchpoints", 20, 10))
    held.clear()
    assert held.may_read(("touchpoints", 0))


def test_a_chunk_is_given_back_once_whoever_gives_it_back() -> None:
    held = flow()
    one = chunk("touchpoints", 0, 900)
    held.took(one)
    held.dropped(one)
    held.applied(one)
    held.applied(chunk("touchpoints", 10, 900))
    assert held.held_bytes()["touchpoints"] == 0


def test_what_was_read_before_its_partition_was_sought_again_is_not_held() -> None:
    held = flow()
    old, other = chunk("touchpoints", 0, 600), chunk("touchpoints", 0, 300, partition=1)
    held.took(old)
    held.took(other)
    held.forget([("touchpoints", 0)])
    again = chunk("touchpoints", 0, 600)
    held.took(again)
    assert [held.holds(each) for each in (old, other, again)] == [False, True, True]
    held.dropped(old)
    assert held.held_bytes()["touchpoints"] == 900


def test_what_is_assigned_anew_is_neither_held_nor_stopped_any_more() -> None:
    held = flow()
    old = chunk("touchpoints", 0, 2_000)
    held.took(old)
    held.stop(("touchpoints", 1), "most are refused")
    held.clear()
    held.begin(("touchpoints", 0), 7)
    assert held.may_read(("touchpoints", 0)) and held.may_read(("touchpoints", 1))
    held.dropped(old)
    assert held.held_bytes()["touchpoints"] == 0
    assert held.reached() == {("touchpoints", 0): 7}


def test_a_stopped_partition_stops_no_other() -> None:
    held = flow()
    held.stop(("touchpoints", 0), "most are refused")
    assert not held.may_read(("touchpoints", 0)) and held.may_read(("touchpoints", 1))
    assert held.stopped() == {("touchpoints", 0): "most are refused"}


def test_positions_and_ages_are_those_of_what_is_not_applied() -> None:
    held = flow()
    first, second = chunk("touchpoints", 0, 1, written=5_000), chunk("touchpoints", 10, 1, written=6_000)
    held.took(first)
    held.took(second)
    held.took(chunk("touchpoints", 0, 1, partition=1, written=4_000))
    assert held.oldest() == {("touchpoints", 0): 5_000, ("touchpoints", 1): 4_000}
    held.applied(first)
    assert held.oldest()["touchpoints", 0] == 6_000
    assert held.reached()["touchpoints", 0] == 10


def test_topics_that_nobody_watches_are_read_without_bound() -> None:
    held = flow()
    held.took(chunk("changelog", 0, 10_000))
    assert held.may_read(("changelog", 0))
    assert "changelog" not in held.held_bytes()


def test_the_size_of_records_counts_keys_values_and_what_objects_cost() -> None:
    record: ConsumerRecord[Any, Any] = ConsumerRecord("t", 0, 0, 0, 0, b"key", b"x" * 1_000, None, 0, 0, ())
    assert size_of([record]) > 1_003
    assert size_of([record, record]) == 2 * size_of([record])
    assert size_of([]) == 0
