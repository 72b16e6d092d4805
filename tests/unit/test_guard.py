"""When a partition is stopped: most of its last records refused, and not just a few."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.guard import LEAST, WINDOW, Guard


def test_a_few_bad_records_stop_nothing_though_they_are_all() -> None:
    guard = Guard()
    assert not any(guard.trips(0, 1, [0]) for _ in range(LEAST - 1))
    assert guard.trips(0, 1, [0])


def test_half_is_not_yet_most() -> None:
    every_other = range(1, WINDOW, 2)
    assert not Guard().trips(0, WINDOW, every_other)
    assert Guard().trips(0, WINDOW, [0, *every_other])


def test_a_bad_stretch_is_seen_inside_a_chunk_that_is_good_on_the_whole() -> None:
    assert Guard().trips(0, 10_000, range(5_000, 5_600))
    assert not Guard().trips(0, 10_000, range(5_000, 5_500))


def test_a_bad_stretch_is_seen_across_chunks() -> None:
    guard = Guard()
    assert not guard.trips(0, 10_000, range(9_600, 10_000))
    assert not guard.trips(0, 100, range(100))
    assert guard.trips(0, 1, [0])


def test_every_record_is_judged_by_the_last_thousand_before_it_whatever_the_chunks() -> None:
    rng = random.Random(3)
    for _ in range(30):
        verdicts = [rng.random() < rng.choice([0.1, 0.45, 0.55, 0.9]) for _ in range(rng.randint(400, 4_000))]
        guard, position, tripped = Guard(), 0, False
        while position < len(verdicts):
            part = verdicts[position : position + rng.randint(1, 900)]
            tripped |= guard.trips(0, len(part), [index for index, bad in enumerate(part) if bad])
            position += len(part)
        assert tripped == plainly(verdicts)


def plainly(verdicts: list[bool]) -> bool:
    window: deque[bool] = deque(maxlen=WINDOW)
    for bad in verdicts:
        window.append(bad)
        if sum(window) >= LEAST and sum(window) * 2 > len(window):
            return True
    return False


def test_partitions_are_judged_apart() -> None:
    guard = Guard()
    assert not guard.trips(0, 400, range(400))
    assert not guard.trips(1, 400, range(400))
    assert guard.trips(0, 200, range(200))


def test_nothing_is_remembered_of_partitions_that_are_assigned_anew() -> None:
    guard = Guard()
    assert not guard.trips(0, 499, range(499))
    guard.forget()
    assert not guard.trips(0, 499, range(499))


def test_the_offending_chunk_and_all_after_it_are_held_back_and_no_other_partition() -> None:
    chunks = [chunk(0, 0, 400), chunk(0, 400, 800), chunk(0, 800, 900), chunk(1, 0, 900)]
    refused = {(0, offset) for offset in range(700)} | {(1, offset) for offset in range(0, 900, 2)}
    kept, held = Guard().judge(chunks[::-1], refused)
    assert sorted((each.partition, each.first) for each in kept) == [(0, 0), (1, 0)]
    assert sorted((each.partition, each.first) for each in held) == [(0, 400), (0, 800)]


def chunk(partition: int, first: int, end: int) -> Chunk:
    return Chunk("touchpoints", partition, first, end, [record(partition, offset) for offset in range(first, end)])


def record(partition: int, offset: int) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord("touchpoints", partition, offset, 0, 0, None, b"", None, 0, 0, ())
