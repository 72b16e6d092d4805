"""A change of level by silence: worked out once a customer is quiet, ordered at its moment, carried out in the log."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agents.chunk import Chunk
from agents.folding import Folding, Outputs
from agents.silences import LOOK_DAYS, Silences
from pipeline import requests
from pipeline.customer import Rules, revision_of
from pipeline.outlook import next_change
from pipeline.requests import Look
from pipeline.settings import Settings
from pipeline.state import load
from tests.reference import DAY, Record, touchpoint
from tests.unit.test_folding import EPOCH, NOW, consumed, folded, good, rows

RULES = Rules.of(Settings())
QUIET = 300
PARTITION = 0
ANN = b"ann"


class World:
    """Silences of one partition beside the states, and a clock that stands still."""

    def __init__(self, before: Mapping[bytes, bytes]) -> None:
        self.now = NOW
        self.before = dict(before)
        self.silences = Silences(lambda: RULES, QUIET, lambda: self.now)
        for key, value in self.before.items():
            self.silences.changed(PARTITION, key, value)

    def due(self, seconds: float) -> list[tuple[bytes, Look]]:
        """What is ordered when so many seconds have passed, having looked before and then."""
        self.silences.look(PARTITION, self.before, 60)
        self.now += int(seconds * 1000)
        self.silences.look(PARTITION, self.before, 60)
        return [(order.key, order.look) for order in self.silences.due(PARTITION, self.before, self.now)]


def regular(days: int = 60) -> dict[bytes, bytes]:
    """The state of somebody who came every other day until the day before."""
    visits = [touchpoint(number, NOW - day * DAY, received_at=NOW) for number, day in enumerate(range(days, 0, -2), 1)]
    return dict(folded(*(good(offset, visit) for offset, visit in enumerate(visits))).changelog)


def expected(before: Mapping[bytes, bytes], now: int) -> int:
    change = next_change(load(before[ANN]).profile, now, RULES.model, LOOK_DAYS)
    assert change is not None
    return change.moment


def test_the_change_is_ordered_at_its_moment_and_not_before() -> None:
    before = regular()
    world = World(before)
    moment = expected(before, NOW + QUIET * 1000)
    assert moment < NOW + LOOK_DAYS * DAY
    assert world.due(QUIET) == []
    assert world.due((moment - world.now) / 1000 - 1) == []
    state = load(before[ANN])
    assert world.due(1) == [(ANN, Look(revision_of(state.epoch, state.offset), moment))]


def test_who_is_not_quiet_yet_is_not_looked_at() -> None:
    world = World(regular())
    assert world.due(QUIET - 1) == []
    assert list(world.silences.due(PARTITION, world.before, NOW + 1000 * DAY)) == []


def test_an_order_that_came_to_nothing_comes_again() -> None:
    world = World(regular())
    world.due(QUIET)
    [first] = world.due(90 * DAY / 1000)
    assert world.due(QUIET - 1) == []
    [again] = world.due(1)
    assert again[1].revision == first[1].revision


@pytest.mark.parametrize("key", [b"anon:b1", b"\xff" + ANN, b"\xfe"])
def test_only_known_customers_are_looked_at(key: bytes) -> None:
    [state] = regular().values()
    assert World({key: state}).due(QUIET) == []
    assert list(World({key: state}).silences.due(PARTITION, {key: state}, NOW + 1000 * DAY)) == []


def test_whoever_is_heard_of_again_or_gone_is_not_waited_for() -> None:
    before = regular()
    world = World(before)
    world.due(QUIET)
    world.silences.changed(PARTITION, ANN, None)
    assert world.due(365 * DAY / 1000) == []
    other = World(before)
    other.due(QUIET)
    other.silences.forget([PARTITION])
    assert other.due(365 * DAY / 1000) == []


def ticked(world: World) -> Outputs:
    folding = Folding(RULES, EPOCH, due=world.silences.due)
    return folding(Chunk("touchpoints", PARTITION, 50, 50, ()), world.before, world.now)


def carried_out(offset: int, order: bytes | None, before: Mapping[bytes, bytes], *more: Record) -> Outputs:
    others = [good(offset + place, record) for place, record in enumerate(more, 1)]
    return folded(consumed(offset, ANN, order), *others, before=dict(before), now=NOW + 90 * DAY)


def test_the_order_goes_into_the_log_and_changes_the_risk_and_nothing_else() -> None:
    before = regular()
    world = World(before)
    moment = expected(before, NOW + QUIET * 1000)
    world.due(QUIET)
    world.now = moment
    out = ticked(world)
    [(key, order)] = out.touchpoints
    assert key == ANN and not out.changelog and not out.risk
    done = carried_out(100, order, before)
    [change], [customer] = rows("risk", done.risk), rows("customers", done.customers)
    was, state = load(before[ANN]), load(dict(done.changelog)[ANN])
    assert (change["as_of"], change["previous_level"], change["level"]) == (moment, was.level, state.level)
    assert change["level"] != was.level
    assert change["revision"] == customer["revision"] == revision_of(EPOCH, 100)
    assert customer["level"] == change["level"] and customer["scored_at"] == moment
    assert change["imported"] is False and change["event_id"] == str(touchpoint(30)["event_id"])
    assert done.journeys == [] and state.profile == was.profile and state.seen == was.seen


def test_an_order_that_something_came_before_is_passed_over() -> None:
    before = regular()
    world = World(before)
    world.due(QUIET)
    world.now = expected(before, world.now)
    [(_, order)] = ticked(world).touchpoints
    later = folded(good(99, touchpoint(99, NOW, received_at=NOW)), before=before)
    done = carried_out(100, order, dict(later.changelog))
    assert (done.risk, done.customers) == ([], [])


def test_an_order_carried_out_twice_changes_the_risk_once() -> None:
    before = regular()
    world = World(before)
    world.due(QUIET)
    world.now = expected(before, world.now)
    [(_, order)] = ticked(world).touchpoints
    once = carried_out(100, order, before)
    again = carried_out(100, order, dict(once.changelog))
    assert len(once.risk) == 1 and again.risk == []


def test_touchpoints_after_an_order_in_the_same_chunk_are_folded_over_it() -> None:
    before = regular()
    world = World(before)
    world.due(QUIET)
    moment = world.now = expected(before, world.now)
    [(_, order)] = ticked(world).touchpoints
    back = touchpoint(500, moment + DAY, received_at=moment + DAY, name="web.purchase", outcome="converted")
    done = carried_out(100, order, before, back)
    assert [row["revision"] for row in rows("risk", done.risk)] == [revision_of(EPOCH, 100), revision_of(EPOCH, 101)]
    assert load(dict(done.changelog)[ANN]).level == "low"


def test_a_request_is_read_as_it_was_written() -> None:
    assert requests.load(requests.dump(Look(7, NOW))) == Look(7, NOW)


def test_a_level_that_nobody_looked_at_meanwhile_is_ordered_now() -> None:
    world = World(regular())
    world.now += 90 * DAY
    [(_, order)] = world.due(0)
    assert order.now == world.now


def test_who_will_not_change_soon_is_only_looked_at_again() -> None:
    once = dict(folded(good(0, touchpoint(1, NOW, received_at=NOW))).changelog)
    assert next_change(load(once[ANN]).profile, NOW, RULES.model, LOOK_DAYS) is None
    world = World(once)
    world.due(QUIET)
    world.now += LOOK_DAYS * DAY
    assert list(world.silences.due(PARTITION, world.before, world.now)) == []
    assert world.due(QUIET + 365 * DAY / 1000) != []
