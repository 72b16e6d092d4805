"""Whatever a fit comes to, its model keeps the promises of the shipped one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fitting import _with_weights
from pipeline.risk import score
from pipeline.risk_model import Calibration, Compiled, default_model
from pipeline.signals import GOOD, RANKED
from tests.property.test_risk import BAD, crowds, histories, moments, now_moments, plain_instead, profile_of
from tests.property.test_risk import GOOD as WELCOME
from tests.reference import Record

MANY = settings(max_examples=200, deadline=None, database=None)


@st.composite
def models(draw: st.DrawFn) -> Compiled:
    """A model of any weights that a regression could find."""
    sizes = draw(st.lists(st.floats(0, 4), min_size=len(RANKED) + 4, max_size=len(RANKED) + 4))
    signs = [-1.0 if kind >= GOOD else 1.0 for kind in RANKED] + [1.0] * 4
    made = _with_weights(default_model().model, np.array(sizes) * np.array(signs), default_model().slope)
    calibration = Calibration(draw(st.floats(-3, 3)), draw(st.floats(0.1, 3)))
    return made.compile()._replace(calibration=(calibration.offset, calibration.factor))


@MANY
@given(models(), histories | crowds, moments, st.sampled_from(BAD), now_moments)
def test_a_bad_experience_never_lowers_the_score(
    model: Compiled, history: list[tuple[int, Record]], moment: int, content: Record, now: int
) -> None:
    hurt = score(profile_of([*history, (moment, content)]), now, model)
    assert hurt >= score(profile_of([*history, (moment, plain_instead(content))]), now, model)
    assert hurt >= score(profile_of(history), now, model)
    assert 0 <= hurt <= 100


@MANY
@given(models(), histories | crowds, moments, st.sampled_from(WELCOME), now_moments)
def test_a_good_experience_never_raises_the_score(
    model: Compiled, history: list[tuple[int, Record]], moment: int, content: Record, now: int
) -> None:
    calm = profile_of([*history, (moment, plain_instead(content))])
    assert score(profile_of([*history, (moment, content)]), now, model) <= score(calm, now, model)
