"""Sessions by event time: edges of the gaps, bridges, and what may be forgotten."""

from itertools import permutations
from uuid import UUID

import pytest

from pipeline.journeys import PATH_LIMIT, Changes, Gaps, add, forget
from pipeline.state import Journey
from tests.reference import Record, touchpoint

GAPS = Gaps(visit=10, journey=100)


def put(journeys: list[Journey], number: int, moment: int, changes: Changes | None = None, **fields: object) -> None:
    record: Record = touchpoint(number, moment, **fields)
    step = (moment, UUID(int=number).bytes, f"{record['channel']}.{record['touchpoint']}")
    add(journeys, step, record, GAPS, changes or Changes())


def built(*moments: int) -> list[Journey]:
    journeys: list[Journey] = []
    for number, moment in enumerate(moments):
        put(journeys, number, moment)
    return journeys


def shape(journeys: list[Journey]) -> list[list[tuple[int, int, int]]]:
    return [[(v.started_at, v.ended_at, v.touchpoints) for v in journey.visits] for journey in journeys]


@pytest.mark.parametrize(
    ("moments", "wanted"),
    [
        ((0, 10), [[(0, 10, 2)]]),
        ((0, 11), [[(0, 0, 1), (11, 11, 1)]]),
        ((0, 100), [[(0, 0, 1), (100, 100, 1)]]),
        ((0, 101), [[(0, 0, 1)], [(101, 101, 1)]]),
        ((0, 20, 10), [[(0, 20, 3)]]),
        ((0, 21, 10), [[(0, 10, 2), (21, 21, 1)]]),
        ((0, 200, 100), [[(0, 0, 1), (100, 100, 1), (200, 200, 1)]]),
        ((0, 300, 150), [[(0, 0, 1)], [(150, 150, 1)], [(300, 300, 1)]]),
        ((0, 0, 0), [[(0, 0, 3)]]),
    ],
)
def test_gaps_cut_and_bridges_join_in_every_order(moments, wanted):
    for order in permutations(moments):
        assert shape(built(*order)) == wanted


def test_one_touchpoint_may_bridge_visits_and_journeys_at_once():
    journeys = built(0, 95, 105, 200, 100)
    assert shape(journeys) == [[(0, 0, 1), (95, 105, 3), (200, 200, 1)]]


def test_deltas_count_what_opened_less_what_was_absorbed():
    journeys: list[Journey] = []
    changes = Changes()
    for number, moment in enumerate((0, 20, 200, 10, 100)):
        put(journeys, number, moment, changes)
    assert (changes.journeys_delta, changes.visits_delta) == (len(journeys), sum(len(j.visits) for j in journeys))
    assert list(changes.journeys.values()) == journeys


def test_absorbing_adds_up_whatever_the_sums():
    journeys: list[Journey] = []
    put(journeys, 1, 0, value=1.25, currency="EUR", outcome="escalated", sentiment=0.5, stage="purchase")
    put(journeys, 2, 200, value=2.0, currency="EUR", outcome="converted", sentiment=-0.5, name="phone.inquiry")
    put(journeys, 3, 199, value=3.0, currency="USD", outcome="unresolved", name="phone.inquiry")
    put(journeys, 4, 100, outcome="converted", name="app.x_seen")
    (journey,) = journeys
    assert journey.values == {"EUR": 32_500, "USD": 30_000}
    assert (journey.escalations, journey.unresolved, journey.converted_at) == (1, 1, 100)
    assert (journey.sentiment_sum, journey.sentiment_count, journey.sentiment_min) == (0, 2, -0.5)
    assert journey.channels == ["app", "phone", "web"]
    assert journey.stages == ["purchase", "service"]
    assert [step[0] for step in journey.path] == [0, 100, 199, 200]
    assert (journey.touchpoints, journey.last[0], journey.truncated) == (4, 200, False)


def test_the_path_keeps_the_first_steps_and_says_when_it_was_cut():
    whole = built(*range(PATH_LIMIT))
    assert (len(whole[0].path), whole[0].truncated) == (PATH_LIMIT, False)
    put(whole, 99, 5)
    assert (len(whole[0].path), whole[0].truncated, whole[0].path[-1][0]) == (PATH_LIMIT, True, PATH_LIMIT - 2)


def test_two_short_paths_may_make_one_that_is_too_long():
    journeys = built(*range(PATH_LIMIT - 1), *range(180, 182), 100)
    assert journeys[0].truncated
    assert len(journeys[0].path) == PATH_LIMIT


def test_only_what_no_touchpoint_can_reach_any_more_is_forgotten():
    journeys = built(0, 5, 101 + 5, 101 + 5 + 90)
    kept = [journey.first for journey in journeys]
    forget(journeys, horizon=105, gaps=GAPS)
    assert [journey.first for journey in journeys] == kept
    forget(journeys, horizon=106, gaps=GAPS)
    assert [journey.first for journey in journeys] == kept[1:]


def test_closed_visits_are_counted_and_the_last_reachable_one_stays():
    journeys = built(0, 50, 90)
    forget(journeys, horizon=60, gaps=GAPS)
    assert (journeys[0].closed_visits, len(journeys[0].visits)) == (1, 2)
    forget(journeys, horizon=61, gaps=GAPS)
    assert (journeys[0].closed_visits, len(journeys[0].visits)) == (2, 1)
    put(journeys, 9, 80)
    assert [(v.started_at, v.ended_at) for v in journeys[0].visits] == [(80, 90)]


def test_a_journey_whose_visits_are_all_closed_can_still_go_on():
    journeys = built(0, 1)
    forget(journeys, horizon=50, gaps=GAPS)
    put(journeys, 9, 60)
    assert (journeys[0].closed_visits, shape(journeys)) == (1, [[(60, 60, 1)]])
