"""The rate of a key and the share of the gate: what holds whatever comes when."""

from __future__ import annotations

import random
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collector.bucket import Bucket
from pipeline.collector.gate import SHARE, Admission, Gate
from pipeline.collector.keys import Key
from pipeline.collector.limiter import Limiter
from pipeline.collector.refusal import Refusal

rates = st.floats(0.1, 1e5)
bursts = st.integers(1, 2_000)
steps = st.lists(st.tuples(st.floats(0, 5), st.integers(1, 1_000)), min_size=1, max_size=60)


@given(rates, bursts, steps)
def test_no_span_of_time_gets_more_than_the_rate_and_one_burst(
    rate: float, burst: int, asked: list[tuple[float, int]]
) -> None:
    bucket = Bucket(rate, burst, 0)
    times = list(accumulate(pause for pause, _ in asked))
    given_out = [0 if bucket.take(count, at) else count for at, (_, count) in zip(times, asked, strict=True)]
    most = max(burst, *(count for _, count in asked))
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert sum(given_out[first : last + 1]) <= rate * (times[last] - start) + most + 0.01


@given(rates, bursts, steps, st.integers(1, 1_000))
def test_after_the_time_it_names_the_same_fits_and_before_it_does_not(
    rate: float, burst: int, before: list[tuple[float, int]], count: int
) -> None:
    def spent() -> tuple[Bucket, float]:
        bucket, now = Bucket(rate, burst, 0), 0.0
        for pause, some in before:
            now += pause
            bucket.take(some, now)
        return bucket, now

    bucket, now = spent()
    wait = bucket.take(count, now)
    if wait > 1e-3:
        early, _ = spent()
        assert early.take(count, now + wait * 0.99) > 0
    if wait:
        assert bucket.take(count, now + wait) == 0


@given(rates, bursts)
def test_a_request_larger_than_the_burst_is_possible_and_paid_for_later(rate: float, burst: int) -> None:
    bucket = Bucket(rate, burst, 0)
    assert bucket.take(burst * 3, 0) == 0
    assert bucket.take(1, 0) == pytest.approx((2 * burst + 1) / rate)


def key(name: str, rate: float | None = None, burst: int | None = None) -> Key:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    return Key(id=name, name=name, sha256="0" * 64, last4="", created_at=made, rate=rate, burst=burst)


def test_a_key_takes_its_own_rate_else_the_default_else_none() -> None:
    limiter = Limiter(rate=10, burst=5)
    assert [limiter.take(key("a"), 5, 0), limiter.take(key("a"), 1, 0)] == [0, 0.1]
    assert [limiter.take(key("b", rate=1), 5, 0), limiter.take(key("b", rate=1), 1, 0)] == [0, 1]
    assert limiter.take(key("env-1", rate=float("inf")), 10**9, 0) == 0
    assert Limiter().take(key("a"), 10**9, 0) == 0
    assert limiter.take(key("b", rate=2), 5, 0) == 0, "a changed limit begins anew"


class Sharing:
    """Keys that hold requests of one gate."""

    def __init__(self, most: int) -> None:
        self.gate = Gate(most, 1 << 30)
        self.stacks: dict[str, list[ExitStack]] = {}

    def enter(self, name: str) -> bool:
        stack = ExitStack()
        with suppress(Refusal):
            stack.enter_context(self.gate.admit(name))
            self.stacks.setdefault(name, []).append(stack)
            return True
        return False

    def flood(self, name: str) -> None:
        while self.enter(name):
            pass

    def leave(self, name: str) -> None:
        self.stacks[name].pop().close()

    def held(self, name: str) -> int:
        return len(self.stacks.get(name, []))


@given(st.integers(1, 2_000))
def test_one_flood_leaves_a_fifth_of_the_gate_to_others(most: int) -> None:
    sharing = Sharing(most)
    sharing.flood("a")
    assert most - sharing.gate.requests >= most // (1 + SHARE) - 1
    assert sharing.held("a") >= most * SHARE // (1 + SHARE) - 1 or most < 3


@given(st.permutations("abcde"))
def test_whoever_comes_after_floods_is_let_in(order: list[str]) -> None:
    sharing = Sharing(1_000)
    *floods, last = order
    for name in floods:
        sharing.flood(name)
    assert sharing.enter(last)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 4), st.integers())
def test_floods_come_to_equal_shares_as_their_requests_end(count: int, seed: int) -> None:
    most, names, chance = 100, [f"flood-{number}" for number in range(count)], random.Random(seed)
    sharing = Sharing(most)
    sharing.flood(names[0])
    for _ in range(20 * most):
        held = [name for name in names for _ in range(sharing.held(name))]
        sharing.leave(chance.choice(held))
        for name in chance.sample(names, count):
            sharing.flood(name)
    fair = most * SHARE / (1 + SHARE * count)
    assert all(sharing.held(name) >= fair / 2 for name in names)


operations = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(("enter", "hold", "leave")), st.integers(1, 40)), max_size=120
)


@given(operations)
def test_the_gate_counts_right_and_never_lets_more_in(actions: list[tuple[str, str, int]]) -> None:
    gate = Gate(most_requests=6, most_bytes=100)
    inside: list[tuple[ExitStack, str, Admission]] = []
    for name, what, count in actions:
        mine = [each for each in inside if each[1] == name]
        stack = ExitStack()
        with suppress(Refusal):
            if what == "enter":
                inside.append((stack, name, stack.enter_context(gate.admit(name))))
            elif mine and what == "hold":
                mine[-1][2].hold(count)
            elif mine:
                inside.remove(mine[-1])
                mine[-1][0].close()
        assert gate.requests == len(inside) <= 6
        assert 0 <= gate.bytes <= 100
    for stack, _, _ in inside:
        stack.close()
    assert (gate.requests, gate.bytes) == (0, 0)
