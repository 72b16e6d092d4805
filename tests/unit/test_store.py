"""The table's store: what recovery reads again never replaces what memory knows better."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from agents.chunk import Chunk
from agents.store import Store

CHANGELOG = "states"


@pytest.fixture
def store() -> Store:
    table = SimpleNamespace(name="states", changelog_topic_name=CHANGELOG)
    return Store("partitioned://", faust.App("unit-store", broker="chunked://127.0.0.1:1"), table)


def event(first: int, *values: tuple[bytes, bytes | None]) -> Any:
    records = [SimpleNamespace(offset=first + n, key=key, value=value) for n, (key, value) in enumerate(values)]
    chunk = Chunk(CHANGELOG, 0, first, first + len(values), records)
    return SimpleNamespace(message=SimpleNamespace(value=chunk))


def apply(store: Store, *events: Any) -> None:
    store.apply_changelog_batch(events, lambda key: key, lambda value: value)


def test_the_last_value_of_a_key_stands_and_a_null_removes_it(store: Store) -> None:
    apply(store, event(0, (b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None)))
    assert store.states(0) == {b"a": b"2"}
    assert store.persisted_offset(TP(CHANGELOG, 0)) == 3


def test_what_is_read_again_does_not_replace_what_was_written_since(store: Store) -> None:
    apply(store, event(0, (b"a", b"1")))
    store.states(0)[b"a"] = b"3"
    store.wrote(0, 3)
    apply(store, event(0, (b"a", b"1"), (b"a", b"2")))
    assert store.states(0) == {b"a": b"3"}
    assert store.persisted_offset(TP(CHANGELOG, 0)) == 2


async def test_a_lost_partition_is_forgotten_and_read_from_the_beginning_when_it_returns(store: Store) -> None:
    apply(store, event(0, (b"a", b"1")))
    await store.on_rebalance(set(), {TP(CHANGELOG, 0)}, set())
    assert store.states(0) == {}
    assert store.persisted_offset(TP(CHANGELOG, 0)) == -1


async def test_owners_are_told_before_anything_is_recovered(store: Store) -> None:
    told = []

    async def on_ownership(owned: set[int], lost: set[int]) -> None:
        told.append((owned, lost))

    store.on_ownership = on_ownership
    await store.on_rebalance({TP(CHANGELOG, 0), TP(CHANGELOG, 2), TP("touchpoints", 1)}, set(), set())
    assert told == [({0, 2}, set())]
