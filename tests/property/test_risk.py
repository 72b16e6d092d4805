"""What must hold of the risk for every customer: sound numbers, and a score that moves the right way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline import profile as profiles
from pipeline.reasons import MOST_REASONS, assess
from pipeline.rhythm import silence
from pipeline.risk import AT_RISK, LEVELS, has_left, is_lasting, score, standing
from pipeline.risk_model import default_model
from pipeline.signals import GOOD as FIRST_GOOD
from pipeline.signals import Kind
from pipeline.state import Profile
from tests.reference import DAY, HOUR, START, Record, touchpoint

MODEL = default_model()
MANY = settings(max_examples=250, deadline=None, database=None)
BESIDES = {"silence": MODEL.model.silence, "less_active": MODEL.model.decline, "stuck_onboarding": MODEL.model.stuck}
ACTIONS = {"none"} | {MODEL.model.signals[kind.name].action for kind in Kind if kind < FIRST_GOOD}
ACTIONS |= {beside.action for beside in BESIDES.values()}

BAD: tuple[Record, ...] = (
    {"name": "subscription.cancel_request"},
    {"name": "subscription.downgrade"},
    {"name": "phone.inquiry", "outcome": "escalated"},
    {"name": "helpdesk.ticket_opened", "outcome": "unresolved"},
    {"name": "survey.nps", "rating_metric": "nps", "rating_score": 2.0},
    {"name": "social.complaint"},
    {"name": "helpdesk.ticket_reopened"},
    {"name": "email.unsubscribe"},
    {"name": "web.cancel_page"},
    {"name": "delivery.damaged", "direction": "outbound"},
    {"name": "subscription.payment_failed", "direction": "outbound", "outcome": "failed"},
    {"name": "survey.ces", "rating_metric": "ces", "rating_score": 1.0},
    {"name": "web.checkout_error", "outcome": "failed"},
    {"name": "live_chat.chat_end", "sentiment": -0.9},
    {"name": "live_chat.chat_abandon", "outcome": "abandoned"},
    {"name": "phone.inbound_call", "wait_ms": 1_200_000},
    {"name": "web.cart_abandon"},
    {"name": "survey.csat", "rating_metric": "csat", "rating_score": 1.0},
    {"name": "phone.complaint", "sentiment": -0.4, "reference": "order-1"},
)
GOOD: tuple[Record, ...] = (
    {"name": "survey.csat", "rating_metric": "csat", "rating_score": 5.0},
    {"name": "loyalty.offer_redeemed"},
    {"name": "phone.inquiry", "outcome": "resolved"},
    {"name": "web.purchase", "outcome": "converted"},
    {"name": "live_chat.chat_end", "sentiment": 0.9},
    {"name": "survey.nps", "rating_metric": "nps", "rating_score": 10.0, "sentiment": 1.0},
)
PLAIN: tuple[Record, ...] = (
    {"name": "web.page_view"},
    {"name": "email.newsletter", "direction": "outbound"},
    {"name": "phone.inquiry", "reference": "order-1", "sentiment": 0.0},
    {"name": "survey.csat", "rating_metric": "csat", "rating_score": 3.0},
    {"name": "subscription.onboarding_step"},
)
LEAVING: tuple[Record, ...] = ({"name": "subscription.cancelled"}, {"name": "subscription.renewal"})

moments = st.integers(0, 300 * 24).map(lambda hours: START + hours * HOUR)
experiences = st.tuples(moments, st.sampled_from(BAD + GOOD + PLAIN))
histories = st.lists(experiences, max_size=40)
crowds = st.lists(
    st.tuples(moments, st.sampled_from(BAD + GOOD), st.integers(1, 12)).map(lambda drawn: [drawn[:2]] * drawn[2]),
    max_size=8,
).map(lambda groups: [one for group in groups for one in group])
now_moments = st.integers(-400, 4_000).map(lambda days: START + days * DAY)


def profile_of(history: Sequence[tuple[int, Record]], order: Sequence[int] | None = None) -> Profile:
    """The profile of these experiences, after a first visit, as they arrive: in their order, or in another."""
    first = touchpoint(0, START)
    profile = Profile(START, (START, bytes(16), "web.page_view"))
    arrivals = list(enumerate([(START, {}), *history]))
    for number, (moment, content) in arrivals if order is None else [arrivals[place] for place in order]:
        record = first if number == 0 else touchpoint(number, moment, **content)
        step = (moment, UUID(record["event_id"]).bytes, f"{record['channel']}.{record['touchpoint']}")
        profiles.add(profile, step, record)
    return profile


def plain_instead(content: Record) -> Record:
    """The same contact without what makes it good or bad: it breaks the silence as much."""
    return {"name": "web.page_view", "direction": content.get("direction", "inbound")}


@MANY
@given(st.lists(st.tuples(moments, st.sampled_from(BAD + GOOD + PLAIN + LEAVING)), max_size=40), now_moments)
def test_every_assessment_is_sound(history: list[tuple[int, Record]], now: int) -> None:
    profile = profile_of(history)
    risk = assess(profile, now, MODEL)
    assert math.isfinite(risk.score)
    assert 0 <= risk.score <= 100
    assert risk.score == score(profile, now, MODEL)
    assert risk.level in LEVELS
    assert (risk.level == "gone") == has_left(profile)
    assert 0 <= silence(profile, now, MODEL.population) < math.inf
    assert len(risk.reasons) <= MOST_REASONS
    points = [abs(reason.points) for reason in risk.reasons]
    assert points == sorted(points, reverse=True)
    assert all(map(math.isfinite, points))
    assert len({reason.code for reason in risk.reasons}) == len(risk.reasons)
    assert risk.action in ACTIONS
    assert (risk.action == "none") == (risk.level in {"low", "gone"})


@MANY
@given(crowds, now_moments)
def test_whoever_is_at_risk_is_told_a_reason_and_an_action_for_it(history: list[tuple[int, Record]], now: int) -> None:
    profile = profile_of(history)
    risk = assess(profile, now, MODEL)
    assume(risk.level not in {"low", "gone"})
    assert risk.reasons
    if risk.reasons[0].points > 0:
        main = risk.reasons[0].code
        assert risk.action == (BESIDES.get(main) or MODEL.model.signals[main.upper()]).action


@MANY
@given(histories | crowds, moments, st.sampled_from(BAD), now_moments)
def test_a_bad_experience_never_lowers_the_score(
    history: list[tuple[int, Record]], moment: int, content: Record, now: int
) -> None:
    calm = profile_of([*history, (moment, plain_instead(content))])
    hurt = profile_of([*history, (moment, content)])
    assert score(hurt, now, MODEL) >= score(calm, now, MODEL)


@MANY
@given(histories | crowds, moments, st.sampled_from(BAD), now_moments)
def test_a_bad_experience_lowers_the_score_no_more_than_nothing_would(
    history: list[tuple[int, Record]], moment: int, content: Record, now: int
) -> None:
    assert score(profile_of([*history, (moment, content)]), now, MODEL) >= score(profile_of(history), now, MODEL)


@MANY
@given(histories | crowds, moments, st.sampled_from(BAD), now_moments)
def test_a_bad_experience_never_makes_a_lasting_risk_pass(
    history: list[tuple[int, Record]], moment: int, content: Record, now: int
) -> None:
    """Whoever is at risk without it is at risk with it, and would be for as long."""
    calm, hurt = profile_of(history), profile_of([*history, (moment, content)])
    level = standing(calm, now, MODEL)[1]
    if level in AT_RISK and is_lasting(calm, level, now, MODEL):
        assert is_lasting(hurt, standing(hurt, now, MODEL)[1], now, MODEL)


@MANY
@given(histories | crowds, st.sampled_from(GOOD), now_moments)
def test_a_good_experience_never_raises_the_score_of_the_moment(
    history: list[tuple[int, Record]], content: Record, now: int
) -> None:
    known = [one for one in history if one[0] <= now]
    assume(now >= START)
    assert score(profile_of([*known, (now, content)]), now, MODEL) <= score(profile_of(known), now, MODEL)


@MANY
@given(histories | crowds, moments, st.sampled_from(GOOD), now_moments)
def test_a_good_experience_never_raises_the_score(
    history: list[tuple[int, Record]], moment: int, content: Record, now: int
) -> None:
    calm = profile_of([*history, (moment, plain_instead(content))])
    glad = profile_of([*history, (moment, content)])
    assert score(glad, now, MODEL) <= score(calm, now, MODEL)


@MANY
@given(st.data(), histories | crowds, now_moments)
def test_the_order_of_arrival_never_matters(data: st.DataObject, history: list[tuple[int, Record]], now: int) -> None:
    order = data.draw(st.permutations(range(len(history) + 1)))
    one, other = profile_of(history), profile_of(history, order)
    assert other == one
    assert assess(other, now, MODEL) == assess(one, now, MODEL)


@MANY
@given(histories, now_moments, st.integers(0, 1_000 * DAY))
def test_silence_never_shrinks_while_nothing_happens(history: list[tuple[int, Record]], now: int, later: int) -> None:
    profile = profile_of(history)
    assert silence(profile, now + later, MODEL.population) >= silence(profile, now, MODEL.population)


@MANY
@given(histories, st.integers(0, 4_000), st.integers(0, 300))
def test_without_signals_the_score_never_falls_while_nothing_happens(
    history: list[tuple[int, Record]], days: int, more: int
) -> None:
    profile = profile_of([(moment, {"name": "web.page_view"}) for moment, _ in history])
    at = START + days * DAY
    still = MODEL._replace(decline=0.0)  # less activity than before is no longer less after a long silence
    assert score(profile, at + more * DAY, still) >= score(profile, at, still)


@MANY
@given(histories, moments, st.integers(1, 100 * DAY), now_moments)
def test_gone_after_a_goodbye_and_back_after_a_renewal(
    history: list[tuple[int, Record]], moment: int, later: int, now: int
) -> None:
    history = [one for one in history if one[0] < moment]
    goodbye = (moment, {"name": "subscription.cancelled"})
    gone = assess(profile_of([*history, goodbye]), now, MODEL)
    assert (gone.level, gone.score, gone.action) == ("gone", 100.0, "none")
    assert assess(profile_of([*history, goodbye, (moment + later, LEAVING[1])]), now, MODEL).level != "gone"


@pytest.mark.parametrize("content", BAD, ids=lambda content: content["name"])
def test_each_bad_experience_alone_raises_the_score_and_is_its_reason(content: Record) -> None:
    profile = profile_of([(START, content)])
    risk = assess(profile, START, MODEL)
    assert risk.score > score(profile_of([]), START, MODEL)
    assert risk.reasons[0].points > 0
