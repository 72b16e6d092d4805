"""The risk model against the facts that set its shape."""

import pytest

from pipeline.risk import LEVELS, MOST_REASONS, Compiled, Risk, assess, default_model, score, silence
from pipeline.signals import Kind
from pipeline.state import Profile, Signal
from tests.reference import DAY, START

MODEL: Compiled = default_model()
ACTIONS = {
    "none",
    "personal_outreach",
    "tailored_solution",
    "supervisor_call_back",
    "special_offer",
    "onboarding_check_in",
    "value_reminder",
}


def customer(*signals: Signal, **fields: object) -> Profile:
    step = (START, bytes(16), "web.page_view")
    known = {"last_inbound_at": START, "first_inbound_at": START, "inbound": 1, "visits": 1, "journeys": 1}
    return Profile(START, step, **{**known, "signals": sorted(signals), **fields})


def bad(count: int, kind: Kind = Kind.UNRESOLVED, moment: int = START) -> list[Signal]:
    return [(moment, int(kind), 1.0)] * count


def now(*signals: Signal, at: int = START, **fields: object) -> Risk:
    return assess(customer(*signals, **fields), at, MODEL)


@pytest.mark.parametrize(("count", "wanted"), [(1, 32.0), (3, 86.0)])
def test_one_bad_experience_and_three_are_as_the_sources_say(count, wanted):
    assert now(*bad(count)).score == pytest.approx(wanted, abs=0.01)


def test_nothing_known_is_a_low_risk_and_the_first_bad_experience_a_medium_one():
    assert now().level == "low"
    assert (now().reasons, now().action) == ((), "none")
    assert now(*bad(1)).level == "medium"
    assert now(*bad(3)).level == "critical"


def test_a_good_recovery_lowers_the_risk_but_not_without_bound():
    shaken = now(*bad(2)).score
    helped = now(*bad(2), (START, Kind.RESOLVED, 1.0)).score
    won_back = now(*bad(2), *[(START, int(kind), 1.0) for kind in Kind if kind >= 50] * 3).score
    assert won_back < helped < shaken
    assert won_back == now(*[(START, int(Kind.BOUGHT), 1.0)] * 20).score


def test_experiences_fade_by_their_half_life():
    month_later = assess(customer(*bad(2), last_inbound_at=None, first_inbound_at=None), START + 30 * DAY, MODEL)
    assert month_later.score == pytest.approx(now(*bad(1)).score, abs=0.01)


def test_silence_grows_with_time_and_weighs_more_for_a_frequent_visitor():
    rare = customer(first_inbound_at=START - 300 * DAY, visits=3)
    often = customer(first_inbound_at=START - 300 * DAY, visits=100)
    moments = [START + days * DAY for days in (0, 1, 7, 30, 90, 400, 4_000)]
    for profile in (rare, often):
        grown = [silence(profile, moment, MODEL) for moment in moments]
        assert grown[0] == 0.0
        assert grown == sorted(grown)
        assert grown[-1] < 1.0 or profile is often
    assert all(silence(often, moment, MODEL) > silence(rare, moment, MODEL) for moment in moments[1:-1])


def test_without_inbound_touchpoints_there_is_no_silence():
    profile = customer(first_inbound_at=None, last_inbound_at=None, visits=0)
    assert silence(profile, START + 900 * DAY, MODEL) == 0.0


def test_who_has_left_is_gone_and_who_comes_back_is_judged_anew():
    gone = now(*bad(3), cancelled_at=START, returned_at=START - 1)
    assert (gone.score, gone.level, gone.action) == (100.0, "gone", "none")
    assert [reason.code for reason in gone.reasons] == ["cancelled"]
    assert now(cancelled_at=0).level == "gone"
    back = now(cancelled_at=START, returned_at=START)
    assert back == now()


def test_the_reasons_of_a_single_cause_add_up_to_the_score():
    nothing = now().score
    one = now(*bad(1))
    assert [reason.code for reason in one.reasons] == ["unresolved"]
    assert nothing + one.reasons[0].points == pytest.approx(one.score, abs=0.1)


def test_many_grave_reasons_do_not_hide_each_other():
    """Each would do for the highest score alone, so taking any one away would change nothing."""
    angry = now(*bad(6), *bad(6, Kind.ESCALATED), *bad(6, Kind.COMPLAINT))
    assert angry.level == "critical"
    assert {reason.code for reason in angry.reasons} == {"unresolved", "escalated", "complaint"}
    assert sum(reason.points for reason in angry.reasons) == pytest.approx(angry.score - now().score, abs=0.3)
    assert angry.action == "supervisor_call_back"


def test_the_action_follows_the_gravest_reason_though_good_ones_weigh_more():
    bads = [(START, int(kind), 0.4) for kind in Kind if kind < 50]
    goods = [(START, int(kind), 1.0) for kind in Kind if kind >= 50]
    mixed = now(*bads, *goods)
    assert mixed.level != "low"
    assert mixed.action == "special_offer"


def test_a_short_silence_is_not_called_unusual():
    texts = {
        reason.text
        for days in range(1, 5)
        for reason in now(*bad(2), at=START + days * DAY).reasons
        if reason.code == "silence"
    }
    assert texts
    assert not any("rhythm" in text for text in texts)
    long = now(at=START + 200 * DAY).reasons
    assert [reason.code for reason in long] == ["silence"]
    assert "200 days, longer than this customer's rhythm" in long[0].text


def test_reasons_say_how_often_and_when():
    risk = now(*bad(2, moment=START - 3 * DAY), *bad(1, Kind.COMPLAINT, START - DAY))
    texts = {reason.code: reason.text for reason in risk.reasons}
    assert texts["unresolved"] == "was left with an unresolved contact 2 times, last 3 days ago"
    assert texts["complaint"] == "complained 1 day ago"


def test_a_signal_dated_after_the_moment_counts_in_full_and_happened_today():
    assert score(customer(*bad(1, moment=START + DAY)), START, MODEL) == pytest.approx(32.0, abs=0.01)
    assert now(*bad(1, moment=START + DAY)).reasons[0].text.endswith(" today")


def test_every_action_of_the_model_is_one_that_the_sources_recommend():
    signals = MODEL.model.signals
    assert {signals[kind.name].action for kind in Kind if kind < 50} | {MODEL.model.silence_action} <= ACTIONS
    assert all(signals[kind.name].text for kind in Kind)


def test_levels_are_what_their_bounds_say():
    assert tuple(MODEL.model.levels) == LEVELS[1:4]
    assert list(MODEL.levels) == sorted(MODEL.levels)
    assert MOST_REASONS == 5
