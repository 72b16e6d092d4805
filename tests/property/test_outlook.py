"""What is said of the future is what comes: the next change of level, and the ways down."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.outlook import HORIZON_DAYS, RESOLUTION, next_change, ways_down
from pipeline.risk import LEVELS, standing
from pipeline.risk_model import default_model
from tests.property.test_risk import BAD, GOOD, PLAIN, moments, profile_of
from tests.reference import DAY, START, Record

MODEL = default_model()
SOME = settings(max_examples=150, deadline=None, database=None)
histories = st.lists(st.tuples(moments, st.sampled_from(BAD + GOOD + PLAIN)), max_size=15)
after = st.integers(0, 400).map(lambda days: START + days * DAY)


@SOME
@given(histories, after, st.lists(st.floats(0, 1), max_size=20))
def test_the_level_stays_until_the_change_and_changes_then(
    history: list[tuple[int, Record]], now: int, shares: list[float]
) -> None:
    profile = profile_of(history)
    level = standing(profile, now, MODEL)[1]
    change = next_change(profile, now, MODEL)
    end = change.moment - RESOLUTION if change else now + HORIZON_DAYS * DAY
    assume(end >= now)
    assert {standing(profile, now + int((end - now) * share), MODEL)[1] for share in (0.0, *shares, 1.0)} == {level}
    if change:
        assert change.level != level
        assert standing(profile, change.moment, MODEL)[1] == change.level


@SOME
@given(histories, after, st.sampled_from(("low", "medium", "high")))
def test_every_way_down_leads_there(history: list[tuple[int, Record]], now: int, to: str) -> None:
    profile = profile_of(history)
    score, level = standing(profile, now, MODEL)
    ways = ways_down(profile, now, MODEL, to)
    if LEVELS.index(level) <= LEVELS.index(to):
        assert ways == []
    for way in ways:
        assert way.score < score
        assert way.text
        assert way.times >= 1


def test_an_angry_customer_can_be_won_back_or_waited_for() -> None:
    profile = profile_of([(START, {"name": "phone.complaint", "outcome": "unresolved"})] * 3)
    ways = {way.code: way for way in ways_down(profile, START, MODEL)}
    assert ways["good_rating"].times < ways["resolved"].times
    assert "wait" in ways


def test_who_is_only_silent_has_to_come() -> None:
    profile = profile_of([(START + day * DAY, {"name": "web.page_view"}) for day in range(1, 100, 3)])
    risk = standing(profile, START + 600 * DAY, MODEL)
    assert risk[1] == "critical"
    assert ways_down(profile, START + 600 * DAY, MODEL)[0].times == 1
    assert "came" in {way.code for way in ways_down(profile, START + 600 * DAY, MODEL)}
    change = next_change(profile, START + 100 * DAY, MODEL)
    assert change is not None
    assert change.level == "medium"
