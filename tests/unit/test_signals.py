"""What a touchpoint says for or against leaving: one signal each, the gravest."""

from itertools import product

import pytest

from pipeline.catalogue import OUTCOMES, RATING_RANGES, catalogue
from pipeline.risk_model import default_model
from pipeline.signals import BAD_MOOD, GOOD_MOOD, LONG_WAIT_MS, RANKED, Kind, bought, of
from tests.reference import touchpoint

FIRST_GOOD = 50


@pytest.mark.parametrize(
    ("name", "fields", "kind"),
    [
        ("web.page_view", {}, None),
        ("web.page_view", {"sentiment": 0.0, "outcome": "completed"}, None),
        ("web.cancel_page", {}, Kind.CANCEL_PAGE),
        ("web.purchase", {"outcome": "converted"}, Kind.BOUGHT),
        ("web.purchase", {"outcome": "failed"}, Kind.FAILED),
        ("web.purchase", {"outcome": "cancelled"}, None),
        ("in_store.purchase", {"outcome": "abandoned"}, Kind.ABANDONED),
        ("web.cart_abandon", {"outcome": "abandoned"}, Kind.CART_ABANDONED),
        ("mobile_app.cart_add", {"outcome": "abandoned"}, Kind.CART_ABANDONED),
        ("web.form_submit", {"outcome": "abandoned"}, None),
        ("live_chat.chat_end", {"outcome": "abandoned"}, Kind.ABANDONED),
        ("phone.inquiry", {"outcome": "resolved"}, Kind.RESOLVED),
        ("phone.inquiry", {"outcome": "unresolved", "sentiment": 0.9}, Kind.UNRESOLVED),
        ("phone.complaint", {"outcome": "resolved", "sentiment": 0.9}, Kind.COMPLAINT),
        ("phone.complaint", {"outcome": "escalated", "sentiment": -1.0}, Kind.ESCALATED),
        ("phone.complaint", {"outcome": "failed"}, Kind.FAILED),
        ("phone.inquiry", {"wait_ms": LONG_WAIT_MS}, Kind.LONG_WAIT),
        ("phone.inquiry", {"wait_ms": LONG_WAIT_MS - 1}, None),
        ("phone.inquiry", {"sentiment": BAD_MOOD}, Kind.NEGATIVE_MOOD),
        ("phone.inquiry", {"sentiment": BAD_MOOD + 0.01}, None),
        ("phone.inquiry", {"sentiment": GOOD_MOOD}, Kind.GOOD_MOOD),
        ("phone.inquiry", {"sentiment": GOOD_MOOD - 0.01}, None),
        ("subscription.payment_failed", {"outcome": "failed"}, Kind.PAYMENT_FAILED),
        ("delivery.lost", {"outcome": "failed"}, Kind.DELIVERY_FAULT),
        ("subscription.cancel_request", {"sentiment": -1.0, "outcome": "unresolved"}, Kind.CANCEL_REQUEST),
        ("live_chat.chat_end", {"outcome": "resolved", "rating_metric": "csat", "rating_score": 5.0}, Kind.GOOD_RATING),
        ("web.x_own", {"outcome": "failed"}, Kind.FAILED),
        ("subscription.onboarding_step", {"outcome": "failed"}, Kind.SETUP_FAILED),
        ("subscription.onboarding_step", {"outcome": "abandoned"}, Kind.SETUP_FAILED),
        ("subscription.onboarding_step", {"outcome": "completed"}, None),
        ("self_service.chatbot_session", {"outcome": "unresolved"}, Kind.NO_ANSWER),
        ("self_service.chatbot_session", {"outcome": "escalated"}, Kind.ESCALATED),
    ],
)
def test_one_touchpoint_is_one_signal_the_gravest_it_shows(name, fields, kind):
    assert of(touchpoint(1, name=name, **fields)) is kind


@pytest.mark.parametrize(
    ("metric", "score", "kind"),
    [
        ("nps", 6.0, Kind.DETRACTOR),
        ("nps", 7.0, None),
        ("nps", 8.9, None),
        ("nps", 9.0, Kind.GOOD_RATING),
        ("csat", 2.0, Kind.DETRACTOR),
        ("csat", 3.0, None),
        ("csat", 4.0, Kind.GOOD_RATING),
        ("ces", 3.0, Kind.HIGH_EFFORT),
        ("ces", 5.0, None),
        ("ces", 6.0, Kind.GOOD_RATING),
    ],
)
def test_ratings_speak_by_their_own_scales(metric, score, kind):
    assert of(touchpoint(1, name="survey.feedback", rating_metric=metric, rating_score=score)) is kind


def every_mix():
    moods = (None, -0.9, 0.9)
    ratings = (None, *((metric, bound) for metric, bounds in RATING_RANGES.items() for bound in bounds))
    for (channel, name, _), outcome, mood, rating in product(catalogue().rows(), (None, *OUTCOMES), moods, ratings):
        metric, score = rating or (None, None)
        yield touchpoint(
            1,
            name=f"{channel.name}.{name}",
            outcome=outcome,
            sentiment=mood,
            rating_metric=metric,
            rating_score=score,
        )


def test_something_bad_is_never_hidden_by_something_good():
    """Whatever is added to a bad touchpoint, it stays one; and nothing bad is made of what is good."""
    for record in every_mix():
        kind = of(record)
        plain = of({**record, "outcome": None, "sentiment": None, "rating_metric": None})
        if plain is not None and plain < FIRST_GOOD:
            assert kind is not None and RANKED.index(kind) <= RANKED.index(plain), record
        worse = of({**record, "wait_ms": LONG_WAIT_MS})
        assert worse is not None and worse < FIRST_GOOD, record
        assert kind is None or RANKED.index(worse) <= RANKED.index(kind), record


def test_among_good_and_among_bad_signals_the_weightier_goes_first():
    for side in ([k for k in RANKED if k < FIRST_GOOD], [k for k in RANKED if k >= FIRST_GOOD]):
        weights = [abs(default_model().weights[kind][0]) for kind in side]
        assert weights == sorted(weights, reverse=True)


def test_only_a_purchase_that_was_not_broken_off_is_one():
    assert bought(touchpoint(1, name="in_store.purchase", sentiment=-1.0, wait_ms=LONG_WAIT_MS))
    assert bought(touchpoint(1, name="subscription.renewal"))
    assert not bought(touchpoint(1, name="web.purchase", outcome="failed"))
    assert not bought(touchpoint(1, name="web.page_view", outcome="converted"))


def test_every_kind_has_its_weight_on_the_right_side_and_the_model_knows_no_other():
    signals = default_model().model.signals
    assert set(signals) == {kind.name for kind in Kind}
    assert all((signals[kind.name].weight > 0) == (kind < FIRST_GOOD) for kind in Kind)
    assert all(weight.half_life_days > 0 for weight in signals.values())
