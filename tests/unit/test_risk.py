"""The risk model against the facts that set its shape."""

import pytest

from pipeline import rhythm
from pipeline.reasons import MOST_EVIDENCE, MOST_REASONS, Risk, assess
from pipeline.risk import LEVELS, score
from pipeline.risk_model import Compiled, default_model
from pipeline.signals import GOOD, Kind
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


def customer(*signals: Signal, days: tuple[int, ...] = (0,), **fields: object) -> Profile:
    """Who came on these days before START."""
    profile = Profile(START, (START, bytes(16), "web.page_view"), inbound=len(days))
    for ago in days:
        moment = START - ago * DAY
        profile.first_inbound_at = min(moment, profile.first_inbound_at or moment)
        profile.last_inbound_at = max(moment, profile.last_inbound_at or moment)
        rhythm.add(profile, moment, calm=True)
    profile.signals = sorted(signals)
    for name, value in fields.items():
        setattr(profile, name, value)
    return profile


def signal(kind: Kind, moment: int = START, number: int = 0) -> Signal:
    return moment, int(kind), bytes(15) + bytes([number]), "phone.inquiry"


def bad(count: int, kind: Kind = Kind.UNRESOLVED, moment: int = START) -> list[Signal]:
    return [signal(kind, moment, number) for number in range(count)]


def now(*signals: Signal, at: int = START, **fields: object) -> Risk:
    return assess(customer(*signals, **fields), at, MODEL)


@pytest.mark.parametrize(("count", "wanted"), [(1, 32.0), (3, 86.0)])
def test_one_bad_experience_and_three_are_as_the_sources_say(count, wanted):
    assert now(*bad(count)).score == pytest.approx(wanted, abs=0.01)


def test_nothing_known_is_a_low_risk_and_the_first_bad_experience_a_medium_one():
    assert now().level == "low"
    assert (now().reasons, now().action) == ((), "none")
    assert now(*bad(1)).level == "medium"
    assert now(*bad(2)).level == "high"
    assert now(*bad(3)).level == "critical"


def test_a_good_recovery_lowers_the_risk_but_not_without_bound():
    shaken = now(*bad(2)).score
    helped = now(*bad(2), signal(Kind.RESOLVED)).score
    won_back = now(*bad(2), *[signal(kind) for kind in Kind if kind >= GOOD] * 3).score
    assert won_back < helped < shaken
    assert won_back == now(*[signal(Kind.GOOD_RATING)] * 20).score


def test_experiences_fade_by_their_half_life():
    half_life = int(MODEL.model.signals["UNRESOLVED"].half_life_days)
    later = assess(customer(*bad(2), days=(0,), calm_at=START + half_life * DAY), START + half_life * DAY, MODEL)
    assert later.reasons[0].points == pytest.approx(now(*bad(1)).reasons[0].points, abs=2)


def test_silence_grows_with_time_and_weighs_more_for_a_frequent_visitor():
    rare, often = customer(days=(300, 150, 0)), customer(days=tuple(range(0, 301, 3)))
    moments = [START + days * DAY for days in (0, 1, 7, 30, 90, 400, 4_000)]
    for profile in (rare, often):
        grown = [rhythm.silence(profile, moment, MODEL.population) for moment in moments]
        assert grown == sorted(grown)
        scores = [score(profile, moment, MODEL) for moment in moments]
        assert scores == sorted(scores)
    assert all(
        score(often, START + days * DAY, MODEL) > score(rare, START + days * DAY, MODEL) for days in (60, 90, 200)
    )
    assert score(often, START, MODEL) < score(rare, START, MODEL) < score(customer(), START, MODEL)


def test_silence_is_the_formula_of_the_literature():
    """P(comes) by MBG/NBD, worked out by hand for r=1, alpha=10, a=1, b=1, x=2, t=20, T=30, horizon 40."""
    gone = 1 / (1 + 3 * (30 / 40) ** 3)
    comes = (1 - gone) * (1 - (40 / 80) ** 3)
    population = rhythm.Population(1.0, 10.0, 1.0, 1.0, 40.0)
    assert 2.718281828459045 ** -rhythm.unlikeliness(2, 20.0, 30.0, population) == pytest.approx(comes)


def test_without_inbound_touchpoints_there_is_no_silence():
    profile = customer(days=())
    assert rhythm.silence(profile, START + 900 * DAY, MODEL.population) == MODEL.newcomer
    assert score(profile, START + 900 * DAY, MODEL) == now().score


def test_trouble_breaks_no_silence():
    silent = customer(days=(200, 190, 180))
    rhythm.add(silent, START, calm=False)
    silent.last_inbound_at = START
    assert score(silent, START, MODEL) >= score(customer(days=(200, 190, 180)), START, MODEL)
    reason = next(each for each in assess(silent, START, MODEL).reasons if each.code == "silence")
    assert reason.text.startswith("in touch only about trouble for 180 days")


def test_who_comes_less_than_before_is_riskier_than_who_keeps_coming():
    steady, fading = customer(days=tuple(range(1, 160, 4))), customer(days=(1, *range(30, 160, 4)))
    assert rhythm.decline(steady, START) == 0.0
    assert rhythm.decline(fading, START) > 0.7
    reason = next(each for each in assess(fading, START, MODEL).reasons if each.code == "less_active")
    assert reason.text == "came on 1 day of the last 28; at the pace before, 7"


def test_who_always_came_unevenly_is_not_in_decline():
    bursts = [day for begin in (60, 110, 160, 210) for day in range(begin, begin + 10)]
    assert rhythm.shortfall(customer(days=(5, *bursts)), START) is None


def test_less_activity_says_nothing_of_who_is_hardly_known():
    assert rhythm.decline(customer(days=(1, *range(30, 69, 4))), START) == 0.0
    assert rhythm.decline(customer(days=(1, *range(30, 70, 4), 70)), START) > 0.0


def test_decline_holds_through_a_long_silence():
    fading = customer(days=tuple(range(1, 160, 4)))
    declines = [rhythm.decline(fading, START + days * DAY) for days in (0, 10, 20, 30, 60, 200, 400)]
    assert declines == sorted(declines)
    assert declines[-1] == 1.0


def test_a_stuck_onboarding_grows_until_it_is_settled():
    stuck = customer(onboarding_at=START)
    scores = [score(stuck, START + hours * DAY // 24, MODEL) for hours in (0, 48, 96, 168)]
    assert scores == sorted(set(scores))
    risk = assess(stuck, START + 7 * DAY, MODEL)
    assert (risk.reasons[0].code, risk.action) == ("stuck_onboarding", "onboarding_check_in")
    settled = customer(onboarding_at=START, settled_at=START)
    assert score(settled, START + 7 * DAY, MODEL) < scores[1]


def test_who_has_left_is_gone_and_who_comes_back_is_judged_anew():
    gone = now(*bad(3), cancelled_at=START, returned_at=START - 1)
    assert (gone.score, gone.level, gone.action) == (100.0, "gone", "none")
    assert [reason.code for reason in gone.reasons] == ["cancelled"]
    assert now(cancelled_at=0).level == "gone"
    assert now(cancelled_at=START, returned_at=START) == now()


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
    mixed = now(
        *bad(1, Kind.CANCEL_PAGE), *bad(1, Kind.ESCALATED), *[signal(Kind.RESOLVED, number=n) for n in range(4)]
    )
    assert mixed.level != "low"
    assert mixed.action == "special_offer"


def test_reasons_say_how_often_and_when_and_on_what_they_rest():
    risk = now(*bad(5, moment=START - 3 * DAY), *bad(1, Kind.COMPLAINT, START - DAY))
    found = {reason.code: reason for reason in risk.reasons}
    assert found["unresolved"].text == "was left with an unresolved contact 5 times, last 3 days ago"
    assert found["complaint"].text == "complained 1 day ago"
    evidence = found["unresolved"].evidence
    assert len(evidence) == MOST_EVIDENCE
    assert evidence[0] == (bytes(15) + b"\x04", "phone.inquiry", START - 3 * DAY)


def test_a_long_silence_is_a_reason_and_a_short_one_is_none():
    assert not any(reason.code == "silence" for reason in now(*bad(2), at=START + DAY).reasons)
    [long] = now(at=START + 300 * DAY).reasons
    assert (long.code, long.text) == ("silence", "silent for 300 days, longer than this customer's rhythm")


def test_a_signal_dated_after_the_moment_counts_in_full_and_happened_today():
    assert score(customer(*bad(1, moment=START + DAY)), START, MODEL) == pytest.approx(32.0, abs=0.01)
    assert now(*bad(1, moment=START + DAY)).reasons[0].text.endswith(" today")


def test_every_action_of_the_model_is_one_that_the_sources_recommend():
    model = MODEL.model
    actions = {model.signals[kind.name].action for kind in Kind if kind < GOOD}
    assert actions | {model.silence.action, model.decline.action, model.stuck.action} <= ACTIONS
    assert all(model.signals[kind.name].text for kind in Kind)


def test_levels_rise():
    assert LEVELS[1:4] == ("medium", "high", "critical")
    assert list(MODEL.levels) == sorted(MODEL.levels)
    assert MOST_REASONS == 5
