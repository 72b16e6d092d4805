"""The profile's numbers, by example."""

from itertools import permutations
from uuid import UUID

import msgspec

from pipeline import profile as profiles
from pipeline.profile import SIGNAL_LIMIT
from pipeline.risk import has_left
from pipeline.signals import Kind
from pipeline.state import Profile
from tests.reference import DAY, START, Record, touchpoint


def profile_of(*records: Record) -> Profile:
    profile: Profile | None = None
    for record in records:
        step = (record["occurred_at"], UUID(record["event_id"]).bytes, f"{record['channel']}.{record['touchpoint']}")
        profile = profile or Profile(step[0], step)
        profiles.add(profile, step, record)
    assert profile is not None
    return profile


def test_the_latest_answer_counts_whatever_arrives_last():
    answers = [
        touchpoint(1, START + DAY, "survey.nps", rating_metric="nps", rating_score=9.0),
        touchpoint(2, START, "survey.nps", rating_metric="nps", rating_score=2.0),
        touchpoint(3, START + DAY, "survey.nps", rating_metric="nps", rating_score=4.0),
        touchpoint(4, START, "survey.csat", rating_metric="csat", rating_score=1.0),
    ]
    for order in permutations(answers):
        answers = profile_of(*order).answers
        assert {metric: known[0][2] for metric, known in answers.items()} == {"nps": 4.0, "csat": 1.0}


def test_outbound_touchpoints_count_but_do_not_break_the_silence():
    profile = profile_of(touchpoint(1), touchpoint(2, START + DAY, "email.sent", direction="outbound"))
    assert (profile.inbound, profile.outbound) == (1, 1)
    assert (profile.first_inbound_at, profile.last_inbound_at) == (START, START)
    assert profile.last[0] == START + DAY


def test_an_outcome_of_an_outbound_touchpoint_is_an_experience():
    profile = profile_of(touchpoint(1, name="delivery.lost", direction="outbound", outcome="failed"))
    assert profile.signals == [(START, Kind.DELIVERY_FAULT, UUID(int=1).bytes, "delivery.lost")]


def test_a_purchase_counts_though_it_was_a_bad_experience():
    profile = profile_of(touchpoint(1, name="in_store.purchase", sentiment=-0.9, wait_ms=3_600_000))
    assert profile.purchases == 1
    assert profile.returned_at == START
    assert [signal[1] for signal in profile.signals] == [Kind.NEGATIVE_MOOD]


def test_a_failed_purchase_is_neither_purchase_nor_return():
    for name in ("web.purchase", "subscription.renewal", "subscription.activated"):
        profile = profile_of(touchpoint(1, name=name, outcome="failed"))
        assert (profile.purchases, profile.returned_at) == (0, None)


def test_who_cancels_has_left_and_who_renews_is_back_in_any_order():
    left = touchpoint(1, START, "subscription.cancelled")
    for name in ("subscription.renewal", "subscription.activated", "subscription.trial_start", "web.purchase"):
        for order in permutations([left, touchpoint(2, START + 1, name)]):
            assert not has_left(profile_of(*order))
        for order in permutations([left, touchpoint(2, START - 1, name)]):
            assert has_left(profile_of(*order))


def test_looking_around_does_not_bring_a_customer_back():
    assert has_left(profile_of(touchpoint(1, name="subscription.cancelled"), touchpoint(2, START + DAY)))


def test_the_newest_signals_of_each_kind_are_kept():
    count = SIGNAL_LIMIT + 3
    waits = [touchpoint(n, START + n, "phone.inquiry", wait_ms=3_600_000) for n in range(count)]
    worse = touchpoint(99, START - DAY, "subscription.cancel_request")
    for order in ([worse, *waits], [*reversed(waits), worse], [*waits[5:], worse, *waits[:5]]):
        signals = profile_of(*order).signals
        assert signals[0][:2] == (START - DAY, Kind.CANCEL_REQUEST)
        assert [moment - START for moment, *_ in signals[1:]] == list(range(3, count))


def test_a_profile_survives_its_own_json():
    profile = profile_of(
        touchpoint(1, value=1.5, currency="EUR", sentiment=-0.9),
        touchpoint(2, START + 1, "survey.nps", rating_metric="nps", rating_score=9.0),
        touchpoint(3, START + 2, "subscription.cancelled"),
    )
    text = msgspec.json.encode(profile)
    again = msgspec.json.decode(text, type=Profile)
    assert again == profile
    assert msgspec.json.encode(again) == text
