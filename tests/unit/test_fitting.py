"""What a fit learns from histories whose truth is known."""

import random

import numpy as np
import pytest
from msgspec.structs import replace

from pipeline import fitting, measures, rhythm
from pipeline.backtest import Example
from pipeline.risk import score
from pipeline.risk_model import Rates, decode, default_model, encode
from pipeline.signals import DERIVED, GOOD, RANKED, Kind
from pipeline.state import Profile
from tests.bench import bgnbd
from tests.reference import DAY, START

MODEL = default_model().model


def customer(days: list[int], *kinds: Kind) -> Profile:
    profile = Profile(START, (START, bytes(16), "web.page_view"), inbound=len(days))
    for ago in days:
        moment = START - ago * DAY
        rhythm.add(profile, moment, calm=True)
        profile.first_inbound_at = min(moment, profile.first_inbound_at or moment)
        profile.last_inbound_at = max(moment, profile.last_inbound_at or moment)
    profile.signals = [(START - DAY, int(kind), bytes([n]), "") for n, kind in enumerate(sorted(kinds))]
    return profile


def lives(r: float, alpha: float, a: float, b: float, customers: int) -> list[Profile]:
    """Customers of the very process that the rates describe, who came first a year ago."""
    rng = random.Random(5)
    made = []
    for _ in range(customers):
        rate, chance, at, days = rng.gammavariate(r, 1 / alpha), rng.betavariate(a, b), 0.0, [365]
        while rng.random() > chance and (at := at + rng.expovariate(rate)) < 365:
            days.append(365 - int(at))
        made.append(customer(days))
    return made


def test_rates_are_those_of_the_process_that_made_the_history():
    wanted = Rates(1.0, 30.0, 0.8, 3.0, 90.0)
    found = fitting.rates(lives(1.0, 30.0, 0.8, 3.0, 3_000), START, MODEL.population)
    assert found.r / found.alpha_days == pytest.approx(wanted.r / wanted.alpha_days, rel=0.25)
    assert found.a / (found.a + found.b) == pytest.approx(wanted.a / (wanted.a + wanted.b), rel=0.25)
    assert fitting.rates([], START, MODEL.population) == MODEL.population


def test_the_yardstick_is_the_published_model():
    """Expected purchases of the first customer of the paper's example, and a series that is known in closed form."""
    one = np.array([2.0]), np.array([30.43]), np.array([38.86])
    assert bgnbd.expected((0.243, 4.414, 0.793, 2.426), *one, 39.0)[0] == pytest.approx(1.226, abs=0.001)


def examples(count: int) -> list[Example]:
    """Customers of whom unsubscribing alone tells anything: nine in ten of those leave, one in ten of the others."""
    rng = random.Random(7)
    made = []
    for number in range(count):
        gone, noise = rng.random() < 0.3, rng.random() < 0.1
        kinds = [Kind.UNSUBSCRIBED] if gone != noise else []
        kinds += [Kind.ABANDONED] if rng.random() < 0.3 else []
        made.append(Example(f"c{number}", customer([60, 40, 20, 2], *kinds), gone))
    return made


def test_weights_follow_who_left_and_the_score_becomes_a_probability():
    known = examples(800)
    fitted = fitting.weights(known, START, MODEL)
    before, after = MODEL.signals, fitted.signals
    assert after["ABANDONED"].weight < before["ABANDONED"].weight
    scores = [score(each.profile, START, fitted.compile()) for each in known]
    left = [each.left for each in known]
    assert (measures.calibration_error(measures.calibration(scores, left)) or 0) < 0.05
    assert (measures.roc_auc(scores, left) or 0) > 0.85
    assert decode(encode(fitted)) == fitted
    share = sum(left) / len(left)
    assert share * 100 < fitted.levels.medium < fitted.levels.high < fitted.levels.critical


def test_a_fitted_model_keeps_what_the_properties_rest_on():
    fitted = fitting.weights(examples(800), START, MODEL)
    for side in ([kind for kind in RANKED if kind < GOOD], [kind for kind in RANKED if kind >= GOOD]):
        weights = [abs(fitted.signals[kind.name].weight) for kind in side]
        assert weights == sorted(weights, reverse=True)
    assert all(fitted.signals[kind.name].weight <= MODEL.signals[kind.name].weight for kind in DERIVED)
    assert fitted.calibration.factor > 0


def test_too_few_leavers_teach_nothing():
    assert fitting.weights(examples(20), START, MODEL) == MODEL
    assert fitting.weights([each._replace(left=False) for each in examples(300)], START, MODEL) == MODEL


def test_of_rates_those_are_chosen_that_rank_better_and_without_knowledge_the_middle():
    start, found = MODEL.population, replace(MODEL.population, alpha_days=6_000.0)
    middle = fitting.chosen([], START, start, found)
    assert middle.alpha_days == pytest.approx(600.0)
    assert fitting.chosen(examples(20), START, start, found) == middle
    assert fitting.chosen(examples(200), START, start, start) == start
