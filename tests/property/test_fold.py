"""The fold against the reference: any order, any chunks, any duplicates, the same live rows.

A history is drawn as steps in time, many of them on the edge of a gap; its order and its chunks come from a seed, of
which zero leaves the order of time alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.customer import Rules, fold, revision_of, touch_of
from pipeline.settings import Settings
from pipeline.state import State, dump, load
from tests.reference import (
    CUSTOMER,
    DAY,
    HISTORY,
    HOUR,
    JOURNEY_GAP,
    MINUTE,
    START,
    VISIT_GAP,
    Consumer,
    Record,
    Story,
    comparable,
    touchpoint,
)

RULES = Rules.of(Settings())
EPOCH = 3
THOROUGH = settings(max_examples=400, deadline=None, database=None)
QUICK = settings(max_examples=250, deadline=None, database=None)

STEPS = (
    0,
    0,
    1,
    5 * MINUTE,
    VISIT_GAP - 1,
    VISIT_GAP,
    VISIT_GAP,
    VISIT_GAP + 1,
    2 * HOUR,
    7 * DAY,
    JOURNEY_GAP - 1,
    JOURNEY_GAP,
    JOURNEY_GAP,
    JOURNEY_GAP + 1,
    20 * DAY,
)
CONTENTS: tuple[Record, ...] = (
    {"name": "web.page_view", "stage": "consideration"},
    {"name": "web.purchase", "outcome": "converted", "value": 19.99, "currency": "EUR", "stage": "purchase"},
    {"name": "web.purchase", "outcome": "failed", "value": 70.07, "currency": "EUR"},
    {"name": "in_store.purchase", "value": 0.29, "currency": "USD", "sentiment": -0.8},
    {"name": "in_store.return", "value": -19.99, "currency": "EUR", "outcome": "completed"},
    {"name": "sales.deal_won", "value": 1_000_000.01, "outcome": "cancelled"},
    {"name": "phone.complaint", "outcome": "escalated", "sentiment": -0.87, "wait_ms": 900_000},
    {"name": "helpdesk.ticket_opened", "outcome": "unresolved", "sentiment": -0.36},
    {"name": "live_chat.chat_end", "outcome": "resolved", "sentiment": 0.6},
    {"name": "live_chat.chat_abandon", "outcome": "abandoned"},
    {"name": "survey.nps", "rating_metric": "nps", "rating_score": 3.0},
    {"name": "survey.csat", "rating_metric": "csat", "rating_score": 5.0, "sentiment": 1.0},
    {"name": "survey.ces", "rating_metric": "ces", "rating_score": 2.0},
    {"name": "subscription.renewal", "value": 9.5, "currency": "CHF", "stage": "loyalty"},
    {"name": "subscription.cancelled", "outcome": "cancelled", "stage": "loyalty"},
    {"name": "email.newsletter", "direction": "outbound", "stage": "loyalty"},
    {"name": "subscription.payment_failed", "direction": "outbound", "outcome": "failed", "value": 9.5},
    {"name": "delivery.lost", "direction": "outbound", "outcome": "failed", "sentiment": -0.1},
)

touches = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from(CONTENTS), st.integers(0, 9), st.sampled_from((1,) * 12 + (30,))),
    min_size=1,
    max_size=14,
)
duplicates = st.lists(st.tuples(st.integers(0, 60), st.none() | st.sampled_from(CONTENTS)), max_size=4)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def histories(draw: st.DrawFn, span: int = HISTORY) -> Log:
    """Touchpoints in order of time, no further apart than the span; ids are in no order."""
    moment = START
    history = Log()
    for step, content, rank, times in draw(touches):
        moment += step
        for _ in range(times):
            if moment - START > span:
                return history
            history.append(touchpoint(rank * 1_000 + len(history), moment, **content))
            moment += 20_000 if times > 1 else 0
    return history


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """A history in any order of arrival, some of it twice, now and then with other content under the same id."""
    history = draw(histories())
    log = shuffled(history, draw(seeds))
    for place, content in draw(duplicates):
        record = history[place % len(history)]
        again = dict(record)
        if content is not None:
            moved = record["occurred_at"] + (DAY if record["occurred_at"] < START + HISTORY / 2 else -DAY)
            again = touchpoint(int(record["event_id"].replace("-", ""), 16), moved, **content)
        log.insert(place % (len(log) + 1), again)
    return log


class Log(list[Record]):
    """Touchpoints that show themselves in few words when a test fails."""

    def __repr__(self) -> str:
        shown = ("outcome", "sentiment", "value", "currency", "rating_score")
        return "\n".join(
            f"{r['event_id'][-6:]} {(r['occurred_at'] - START) / MINUTE:.3f}min {r['channel']}.{r['touchpoint']} "
            f"{r['direction']} { ({name: r[name] for name in shown if r[name] is not None}) }"
            for r in self
        )


def shuffled(records: Sequence[Record], seed: int) -> Log:
    """The records in an order of the seed's; zero leaves them as they are."""
    order = Log(records)
    if seed:
        random.Random(seed).shuffle(order)
    return order


class Played:
    """A log folded chunk by chunk, the state dumped and loaded in between."""

    def __init__(self, log: Sequence[Record], seed: int = 0, rules: Rules = RULES) -> None:
        self.consumer = Consumer()
        self.journeys: list[Record] = []
        self.customers: list[Record] = []
        self.late: list[Record] = []
        self.risk: list[Record] = []
        self.state: State | None = None
        self._rules = rules
        self._log = [touch_of(offset * 2, record) for offset, record in enumerate(log)]
        for first, end in pairwise(self._cuts(seed)):
            self.fold(first, end)

    def _cuts(self, seed: int) -> list[int]:
        """Where chunks end: every touchpoint its own, all in one, or anything between."""
        rng, count = random.Random(seed), len(self._log)
        share = rng.choice((0.0, 0.1, 0.5, 1.0))
        return [0, *(place for place in range(1, count) if rng.random() < share), count]

    def fold(self, first: int, end: int) -> bool:
        """Fold a range of the log; whether it changed anything."""
        state = None if self.state is None else load(dump(self.state))
        folded = fold(CUSTOMER, state, EPOCH, self._log[first:end], self._rules)
        if folded is None:
            return False
        self.late += folded.late
        if folded.customer is None:
            return False
        self.state = folded.state
        self.consumer.take(folded.journeys)
        self.journeys += folded.journeys
        self.customers.append(folded.customer)
        self.risk += folded.risk
        return True

    def customer(self) -> Record:
        """The newest row of the customer, of it what does not depend on the moment of scoring."""
        risky = {"revision", "profile", "scored_at", "score", "level", "reasons", "action", "model_version"}
        risky |= {"limited_from", "rebuilt"}
        return comparable({name: value for name, value in self.customers[-1].items() if name not in risky})


def assert_as_in(story: Story, played: Played) -> None:
    assert played.consumer.journeys() == story.journeys()
    assert played.consumer.visits() == story.visits()
    assert played.customer() == story.customer()
    assert (played.customers[-1]["level"] == "gone") == story.has_left()


@THOROUGH
@given(logs(), seeds)
def test_live_rows_are_the_references_in_any_order_of_arrival(log: Log, chunks: int) -> None:
    assert_as_in(Story(log), Played(log, chunks))


@THOROUGH
@given(histories(), seeds, seeds)
def test_profile_and_score_are_the_same_to_the_byte_in_any_order(history: Log, order: int, chunks: int) -> None:
    sorted_out, other = Played(history), Played(shuffled(history, order), chunks)
    for name in ("profile", "values", "score", "level", "reasons", "action"):
        assert repr(other.customers[-1][name]) == repr(sorted_out.customers[-1][name])
    assert {k: repr(v) for k, v in other.consumer.journeys().items()} == {
        k: repr(v) for k, v in sorted_out.consumer.journeys().items()
    }


@THOROUGH
@given(logs(), seeds, seeds)
def test_equal_revision_means_equal_content_whatever_the_chunks(log: Log, chunks: int, others: int) -> None:
    one, other = Played(log, chunks), Played(log, others)
    assert other.risk == one.risk
    assert other.customers[-1] == one.customers[-1]
    known: dict[tuple[str, int], Record] = {}
    for row in one.journeys + other.journeys:
        content = {name: value for name, value in row.items() if name != "changed_visits"}
        assert known.setdefault((row["journey_id"], row["revision"]), content) == content


@THOROUGH
@given(histories(), seeds, seeds)
def test_what_is_remembered_does_not_depend_on_the_order_either(history: Log, order: int, chunks: int) -> None:
    """Merging is commutative and associative: not only the rows, all that later touchpoints will meet is the same."""
    one, other = Played(history), Played(shuffled(history, order), chunks)
    assert one.state is not None and other.state is not None
    assert other.state.journeys == one.state.journeys
    assert other.state.profile == one.state.profile
    assert (other.state.latest, other.state.floor) == (one.state.latest, one.state.floor)
    assert sorted(_ids(other.state)) == sorted(_ids(one.state))


@QUICK
@given(histories(), seeds)
def test_everything_once_more_changes_nothing_that_is_remembered(history: Log, order: int) -> None:
    """Merging is idempotent."""
    once, twice = Played(history), Played([*history, *shuffled(history, order)])
    assert dump(once.state) == dump(twice.state)


def _ids(state: State) -> list[bytes]:
    return [state.seen[at : at + 8] for at in range(0, len(state.seen), 8)]


@QUICK
@given(logs(), seeds, st.data())
def test_a_range_of_the_log_applied_again_changes_nothing(log: Log, chunks: int, data: st.DataObject) -> None:
    played = Played(log, chunks)
    assert played.state is not None
    before = dump(played.state)
    first = data.draw(st.integers(0, len(log) - 1))
    assert not played.fold(first, data.draw(st.integers(first, len(log))))
    assert dump(played.state) == before


@QUICK
@given(logs(), seeds)
def test_the_same_touchpoints_in_a_new_epoch_change_nothing(log: Log, chunks: int) -> None:
    played = Played(log, chunks)
    state = load(dump(played.state))
    again = [touch_of(offset, record) for offset, record in enumerate(log)]
    assert fold(CUSTOMER, state, EPOCH + 1, again, RULES) is None


@QUICK
@given(histories(), seeds, st.integers(HISTORY + 1, 500 * DAY), st.sampled_from(CONTENTS))
def test_what_is_older_than_the_history_changes_nothing(history: Log, order: int, age: int, content: Record) -> None:
    latest = max(record["occurred_at"] for record in history)
    late = touchpoint(999_999, latest - age, **content)
    with_late = Played([*shuffled(history, order), late])
    without = Played(shuffled(history, order))
    assert with_late.consumer.journeys() == without.consumer.journeys()
    assert with_late.customers == without.customers
    assert with_late.risk == without.risk
    assert [late["event_id"] for late in with_late.late] == [late["event_id"]]
    assert with_late.late[0]["accepted_from"] == latest - HISTORY
    assert without.late == []


@given(histories(span=89 * DAY), seeds)
@QUICK
def test_what_is_exactly_as_old_as_the_history_still_counts(history: Log, order: int) -> None:
    latest = max(record["occurred_at"] for record in history)
    log = [*shuffled(history, order), touchpoint(999_999, latest - HISTORY, "phone.inquiry")]
    assert_as_in(Story(log), Played(log))


@st.composite
def long_logs(draw: st.DrawFn) -> Log:
    """Over a year, arriving with delays that keep every touchpoint within the history of those before it."""
    rng = random.Random(draw(seeds))
    count = draw(st.integers(60, 160))
    steps = draw(st.sampled_from(((4 * DAY, VISIT_GAP), (DAY, JOURNEY_GAP + 1), (JOURNEY_GAP, 13 * DAY, 1))))
    delay = draw(st.sampled_from((0, DAY, 30 * DAY, HISTORY)))
    moment, history = START, Log()
    for number in range(count):
        moment += rng.choice(steps)
        history.append(
            touchpoint(rng.randrange(10**6) * 1_000 + number, moment, received_at=moment, **rng.choice(CONTENTS))
        )
    arrivals = sorted(
        (record["occurred_at"] + rng.choice((0, rng.random(), 1)) * delay, record["event_id"]) for record in history
    )
    by_id = {record["event_id"]: record for record in history}
    log = Log(by_id[event_id] for _, event_id in arrivals)
    for _ in range(draw(st.integers(0, 5))):
        place = rng.randrange(len(log))
        log.insert(rng.randint(place, len(log)), log[place])
    return log


@QUICK
@given(long_logs(), seeds)
def test_a_state_that_forgets_still_tells_the_whole_story(log: Log, chunks: int) -> None:
    played = Played(log, chunks)
    assert_as_in(Story(log), played)
    assert played.state is not None
    assert all(journey.last[0] >= played.state.latest - 2 * HISTORY for journey in played.state.journeys)


@QUICK
@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(CONTENTS)), min_size=2, max_size=12), seeds)
@example([(0, CONTENTS[0]), (4, CONTENTS[1]), (2, CONTENTS[6])], 5)
def test_bridges_of_several_journeys_at_once(slots: list[tuple[int, Record]], order: int) -> None:
    """Touchpoints one journey gap apart: whichever comes last joins what lies on both sides of it."""
    history = [
        touchpoint(1_000 - number, START + slot * JOURNEY_GAP, **content)
        for number, (slot, content) in enumerate(slots)
    ]
    log = shuffled(history, order)
    assert_as_in(Story(log), Played(log, order))


@pytest.mark.parametrize("size", [24, 25, 60])
def test_a_long_path_is_cut_the_same_from_both_ends(size: int) -> None:
    history = [touchpoint(number, START + number * MINUTE, **CONTENTS[number % 12]) for number in range(size)]
    for log in (history, history[::-1], history[1::2] + history[::2]):
        assert_as_in(Story(log), Played(log, 1))


def test_revision_is_the_position_of_the_last_touchpoint_applied() -> None:
    history = [touchpoint(number, START + number) for number in range(5)]
    played = Played([*history, history[0], history[3]])
    assert played.customers[-1]["revision"] == revision_of(EPOCH, 4 * 2)
    assert revision_of(EPOCH + 1, 0) > revision_of(EPOCH, 2**38 - 1)
