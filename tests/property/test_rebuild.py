"""A rebuild while the log goes on: the same live rows as if everything had come in order, and late things are in.

A log is folded by the agent's own code, chunk by chunk, as Kafka would bring it; somewhere in it a rebuild begins, and
somewhere later it ends. What had come too late before the beginning must be part of the journeys afterwards.
"""

from __future__ import annotations

import random
from itertools import pairwise

from aiokafka import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.chunk import Chunk
from agents.folding import Folding
from pipeline.customer import Rules
from pipeline.rebuilding import rebuild
from pipeline.requests import Begin, Finish, Rows, dump
from pipeline.settings import Settings
from pipeline.state import dump as dump_state
from schemas.codec import Decoder, Encoder
from tests.property.test_fold import CONTENTS, Log, seeds
from tests.reference import (
    CUSTOMER,
    DAY,
    HISTORY,
    HOUR,
    JOURNEY_GAP,
    START,
    VISIT_GAP,
    Consumer,
    Record,
    Story,
    comparable,
    touchpoint,
)

RULES = Rules.of(Settings())
EPOCH, NOW = 3, START + 500 * DAY
KEY = CUSTOMER.encode()
ENCODE = Encoder("touchpoints")
THOROUGH = settings(max_examples=200, deadline=None, database=None)


class Agent:
    """The customers agent without Kafka: takes values in the order of the log, in chunks of a seed's choosing."""

    def __init__(self, seed: int) -> None:
        self.consumer = Consumer()
        self.customers: list[Record] = []
        self.late: list[Record] = []
        self.risk: list[Record] = []
        self.states: dict[bytes, bytes] = {}
        self.end = 0
        self._rng = random.Random(seed)
        self._folding = Folding(RULES, EPOCH)

    def take(self, values: list[bytes]) -> None:
        share = self._rng.choice((0.0, 0.2, 1.0))
        cuts = [0, *(place for place in range(1, len(values)) if self._rng.random() < share), len(values)]
        for first, end in pairwise(cuts):
            if first < end:
                self._take(values[first:end])

    def _take(self, values: list[bytes]) -> None:
        records = [_consumed(self.end + place, value) for place, value in enumerate(values)]
        outputs = self._folding(Chunk("touchpoints", 0, self.end, self.end + len(values), records), self.states, NOW)
        self.end += len(values)
        assert outputs.rejected == []
        decode = {name: Decoder(name) for name in ("journeys", "customers", "late", "risk")}
        self.consumer.take(decode["journeys"](value) for _, value in outputs.journeys)
        self.customers += [decode["customers"](value) for _, value in outputs.customers]
        self.late += [decode["late"](value) for _, value in outputs.late]
        self.risk += [decode["risk"](value) for _, value in outputs.risk]
        for key, value in outputs.changelog:
            if value is None:
                self.states.pop(key, None)
            else:
                self.states[key] = value

    def pending_late(self) -> list[str]:
        """What view late_touchpoints would list, but for duplicates."""
        rebuilt = self.customers[-1]["rebuilt"] if self.customers else None
        return [row["event_id"] for row in self.late if row["revision"] >= (-1 if rebuilt is None else rebuilt)]


def _consumed(offset: int, value: bytes) -> ConsumerRecord:
    return ConsumerRecord("touchpoints", 0, offset, NOW, 0, KEY, value, None, len(KEY), len(value), ())


@st.composite
def rebuilt_logs(draw: st.DrawFn) -> tuple[Log, Log, Log]:
    """What came before a rebuild began, in any order over a year; what came during it; what came after it.

    From its beginning on nothing comes too late.
    """
    rng = random.Random(draw(seeds))
    steps = (1, 5 * 60_000, VISIT_GAP, VISIT_GAP + 1, 2 * HOUR, 5 * DAY, JOURNEY_GAP, JOURNEY_GAP + 1, 40 * DAY)
    moment, before = START, Log()
    for number in range(draw(st.integers(1, 25))):
        moment += rng.choice(steps)
        before.append(_made(number, moment, rng))
    latest = moment
    live = Log()
    for number in range(draw(st.integers(0, 14))):
        moment = latest - rng.choice((0, 0, rng.randrange(HISTORY // 2)))
        latest += rng.choice((0, 1, VISIT_GAP, 5 * DAY)) if len(live) < 8 else 0
        live.append(_made(1_000 + number, moment, rng))
    order = draw(st.sampled_from(("time", "newest first", "any")))
    if order == "newest first":
        before.reverse()
    elif order == "any":
        rng.shuffle(before)
    for _ in range(draw(st.integers(0, 3))):
        (before if rng.random() < 0.5 or not live else live).append(rng.choice(before))
    cut = draw(st.integers(0, len(live)))
    return before, Log(live[:cut]), Log(live[cut:])


def _made(number: int, moment: int, rng: random.Random) -> Record:
    identity = rng.randrange(10**6) * 10_000 + number
    return touchpoint(identity, moment, received_at=NOW - 1_000, **rng.choice(CONTENTS))


def played(
    before: Log, during: Log, after: Log, seed: int, *, without: frozenset[str] = frozenset(), seen_late: bool = False
) -> Agent:
    """Fold it all with a rebuild from the end of `before` to the end of `during`, which leaves some ids out."""
    agent = Agent(seed)
    agent.take([ENCODE(record) for record in before])
    known = _ids(agent)
    agent.take([dump(Begin("r", NOW - 2_000, EPOCH)), *(ENCODE(record) for record in during[:-1])])
    journeys, visits = _ids(agent) if seen_late else known
    made = rebuild(CUSTOMER, in_order(before, without), RULES, old_journeys=journeys, old_visits=visits)
    rows = made.journeys
    state = dump_state(made.state) if made.state is not None else b""
    between = [ENCODE(record) for record in during[-1:]]
    agent.take([dump(Rows("r", rows[:3])), *between, dump(Rows("r", rows[3:])), dump(Finish("r", state, NOW))])
    agent.take([ENCODE(record) for record in after])
    return agent


def in_order(before: Log, without: frozenset[str] = frozenset()) -> list[Record]:
    """Each touchpoint once, the first in the log, in order of time, so that none of them is late."""
    first = {record["event_id"]: record for record in reversed(before) if record["event_id"] not in without}
    return sorted(first.values(), key=lambda record: record["occurred_at"])


def _ids(agent: Agent) -> tuple[set[str], set[str]]:
    return set(agent.consumer.journeys()), set(agent.consumer.visits())


def assert_as_in(story: Story, agent: Agent) -> None:
    assert agent.consumer.journeys() == story.journeys()
    assert agent.consumer.visits() == story.visits()
    expected = story.customer()
    assert comparable({name: agent.customers[-1][name] for name in expected}) == expected
    assert [key for key in agent.states if key != KEY] == []


@THOROUGH
@given(rebuilt_logs(), seeds, st.booleans())
def test_a_rebuild_takes_in_what_came_too_late(logs: tuple[Log, Log, Log], seed: int, seen_late: bool) -> None:
    before, during, after = logs
    agent = played(before, during, after, seed, seen_late=seen_late)
    assert_as_in(Story([*in_order(before), *during, *after]), agent)
    known = {record["event_id"] for record in before}
    assert set(agent.pending_late()) <= known  # only redeliveries, which stand for nothing of their own


@THOROUGH
@given(rebuilt_logs(), seeds, st.data())
def test_an_import_can_be_taken_out_again(logs: tuple[Log, Log, Log], seed: int, data: st.DataObject) -> None:
    before, during, after = logs
    ids = sorted({record["event_id"] for record in before})
    without = frozenset(data.draw(st.lists(st.sampled_from(ids), unique=True)))
    agent = played(before, during, after, seed, without=without)
    rest = [*in_order(before, without), *during, *after]
    if rest:
        assert_as_in(Story(rest), agent)
    else:
        assert agent.consumer.journeys() == agent.consumer.visits() == agent.states == {}
        assert agent.customers[-1]["touchpoints"] == 0


@THOROUGH
@given(rebuilt_logs(), seeds, seeds)
def test_a_rebuild_is_the_same_over_any_chunks_and_twice(logs: tuple[Log, Log, Log], one: int, other: int) -> None:
    first, second = played(*logs, one), played(*logs, other)
    assert first.consumer.journeys() == second.consumer.journeys()
    assert first.states == second.states
    assert first.customers[-1] == second.customers[-1]
    assert all(row["imported"] for row in first.risk if row["as_of"] == NOW)


@given(rebuilt_logs(), seeds)
@settings(max_examples=100, deadline=None, database=None)
def test_a_rebuild_that_never_ends_changes_nothing(logs: tuple[Log, Log, Log], seed: int) -> None:
    before, during, after = logs
    agent, plain = Agent(seed), Agent(seed)
    agent.take([ENCODE(record) for record in before])
    agent.take([dump(Begin("r", NOW - 2_000, EPOCH))])
    agent.take([dump(Rows("another", [])), dump(Finish("another", b"", NOW))])
    agent.take([dump(Begin("old", NOW - 2_000, EPOCH - 1)), dump(Finish("old", b"", NOW))])
    agent.take([ENCODE(record) for record in [*during, *after]])
    plain.take([ENCODE(record) for record in [*before, *during, *after]])
    assert agent.consumer.journeys() == plain.consumer.journeys()
    assert agent.consumer.visits() == plain.consumer.visits()
    assert agent.customers[-1]["profile"] == plain.customers[-1]["profile"]
