"""A customer forgotten anywhere in a log: nothing before the request counts, however it is cut, doubled or replayed."""

from __future__ import annotations

import random
from itertools import pairwise

from aiokafka import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.chunk import Chunk
from agents.folding import Folding, Outputs
from pipeline.customer import Rules, revision_of
from pipeline.forgotten import hash_of
from pipeline.rebuilding import rebuild
from pipeline.requests import Begin, Finish, Forget, Forgotten, dump, is_request
from pipeline.settings import Settings
from pipeline.state import dump as dump_state
from pipeline.state import load
from schemas.codec import Decoder, Encoder
from tests.reference import CUSTOMER, DAY, HOUR, START, Consumer, Record, touchpoint

RULES = Rules.of(Settings())
SECRET, EPOCH, NOW = "a secret", 3, START + 500 * DAY
KEY, OTHER = CUSTOMER.encode(), b"somebody-else"
HASH = hash_of(SECRET, KEY)
ENCODE = Encoder("touchpoints")
DECODE = {name: Decoder(name) for name in ("journeys", "rejected")}
THOROUGH = settings(max_examples=150, deadline=None, database=None)
Entry = tuple[bytes, bytes]


def made(number: int, key: bytes = KEY) -> Entry:
    fields = {"received_at": NOW - 1_000, "customer_id": key.decode()}
    return key, ENCODE(touchpoint(number, START + number * 3 * HOUR, **fields))


def forget(refuse: bool = False) -> Entry:
    return KEY, dump(Forget("f", NOW, HASH, refuse))


def forgotten() -> Entry:
    return KEY, dump(Forgotten("f", HASH))


class Agent:
    """The customers agent without Kafka; what it writes to compacted topics is kept as they keep it."""

    def __init__(self) -> None:
        self.states: dict[bytes, bytes] = {}
        self.customers: dict[bytes, bytes] = {}
        self.journeys: list[Record] = []
        self.refused: list[Record] = []
        self.handed_on = 0
        self._fold = Folding(RULES, EPOCH, forget_key=SECRET)

    def take(self, log: list[Entry], seed: int = 0, first: int = 0) -> None:
        """Fold the log from an offset on, in chunks of a seed's choosing."""
        rng = random.Random(seed)
        cuts = [first, *(place for place in range(first + 1, len(log)) if rng.random() < 0.4), len(log)]
        for begin, end in pairwise(cuts):
            self._take(log, begin, end)

    def _take(self, log: list[Entry], begin: int, end: int) -> None:
        records = [
            ConsumerRecord("touchpoints", 0, place, NOW, 0, key, value, None, len(key), len(value), ())
            for place, (key, value) in enumerate(log[begin:end], begin)
        ]
        self._keep(self._fold(Chunk("touchpoints", 0, begin, end, records), self.states, NOW))

    def _keep(self, out: Outputs) -> None:
        for kept, written in ((self.states, out.changelog), (self.customers, out.customers)):
            for key, value in written:
                assert key is not None
                if value is None:
                    kept.pop(key, None)
                else:
                    kept[key] = value
        self.journeys += [DECODE["journeys"](value) for _, value in out.journeys]
        self.refused += [DECODE["rejected"](value) for _, value in out.rejected]
        self.handed_on += sum(is_request(value) for _, value in out.risk)

    def everything(self) -> bytes:
        return b"".join(key + value for kept in (self.states, self.customers) for key, value in kept.items())


def live(agent: Agent, since: int) -> dict[str, Record]:
    """The customer's live journeys of the rows published after a revision."""
    consumer = Consumer()
    consumer.take(row for row in agent.journeys if row["customer_id"] == CUSTOMER and row["revision"] > since)
    return consumer.journeys()


seeds = st.integers(0, 10**6)


@THOROUGH
@given(before=st.integers(0, 12), after=st.integers(0, 6), seed=seeds, replayed=st.booleans())
def test_what_comes_later_is_a_new_customer_and_nothing_else_is_left(
    before: int, after: int, seed: int, replayed: bool
) -> None:
    rng = random.Random(seed)
    old = [made(number) for number in range(before)] + [made(number, OTHER) for number in range(6)]
    rng.shuffle(old)
    new = [made(100 + number) for number in range(after)] + [made(200, OTHER)]
    rng.shuffle(new)
    log = [*old, forget(), *new]
    agent, fresh = Agent(), Agent()
    agent.take(log, seed)
    if replayed:  # the offsets were lost, the states were not
        agent.take(log, seed + 1)
    fresh.take(log, seed, first=len(old) + 1)
    theirs = load(agent.states[OTHER])
    assert theirs.profile.inbound == 7
    assert (KEY in agent.states) == (KEY in agent.customers) == (after > 0)
    assert agent.handed_on >= 1
    if after:
        assert load(agent.states[KEY]).profile == load(fresh.states[KEY]).profile
        since = revision_of(EPOCH, len(old))
        assert live(agent, since) == live(fresh, since)
    else:
        assert KEY not in agent.everything()
    assert agent.refused == []


@THOROUGH
@given(before=st.integers(0, 8), after=st.integers(1, 6), seed=seeds)
def test_on_request_what_comes_later_is_refused_without_a_trace(before: int, after: int, seed: int) -> None:
    log = [*(made(number) for number in range(before)), forget(refuse=True)]
    log += [forgotten(), *(made(100 + number) for number in range(after)), made(1, OTHER)]
    agent = Agent()
    agent.take(log, seed)
    assert KEY not in agent.everything()
    assert {(row["code"], row["original"], row["event_id"]) for row in agent.refused} == {("forgotten", b"", None)}
    assert [row["offset"] for row in agent.refused] == list(range(before + 2, before + 2 + after))
    assert not any(KEY in str(row).encode() for row in agent.refused)
    assert OTHER in agent.states


@THOROUGH
@given(place=st.integers(0, 4), seed=seeds)
def test_no_rebuild_brings_a_forgotten_customer_back(place: int, seed: int) -> None:
    """The rebuild has read ClickHouse before the rows went, and ends after they have gone."""
    records = [touchpoint(number, START + number * 3 * HOUR, received_at=NOW - 1_000) for number in range(5)]
    rebuilt = rebuild(CUSTOMER, records, RULES, now=NOW)
    assert rebuilt.state is not None
    begin = (KEY, dump(Begin("r", NOW - 2_000, EPOCH)))
    finish = (KEY, dump(Finish("r", dump_state(rebuilt.state), NOW)))
    order = [begin, finish]
    requests = [forget(), forgotten()]
    log = [(KEY, ENCODE(record)) for record in records]
    log += [*order[: place and 1], requests[0], *([] if place else order[:1]), *order[1:], requests[1]]
    if place > 2:
        log += [begin]
    agent = Agent()
    agent.take(log, seed)
    assert KEY not in agent.everything()


def test_forgetting_again_goes_further_and_never_takes_a_refusal_back() -> None:
    log = [made(1), forget(refuse=True), made(2), forget(refuse=False), made(3)]
    agent = Agent()
    agent.take(log, seed=1)
    assert KEY not in agent.everything()
    assert [row["offset"] for row in agent.refused] == [2, 4]
