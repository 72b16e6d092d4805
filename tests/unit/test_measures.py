"""The measures of a ranking against their definitions."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import measures

judged = st.lists(st.tuples(st.integers(0, 5).map(float), st.booleans()), min_size=2, max_size=20)


@given(judged)
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(pairs):
    scores, left = zip(*pairs, strict=True)
    gone = [score for score, out in pairs if out]
    stayed = [score for score, out in pairs if not out]
    found = measures.roc_auc(scores, left)
    if not gone or not stayed:
        assert found is None
        return
    wins = sum((one > other) + (one == other) / 2 for one, other in product(gone, stayed))
    assert found == pytest.approx(wins / len(gone) / len(stayed))


def test_average_precision_of_a_known_ranking():
    assert measures.average_precision([4, 3, 2, 1], [True, False, True, False]) == pytest.approx((1 + 2 / 3) / 2)
    assert measures.average_precision([1, 1, 1, 1], [True, False, True, False]) == pytest.approx(0.5)
    assert measures.average_precision([1], [False]) is None


def test_calibration_compares_what_was_said_with_what_came():
    scores = [5.0] * 20 + [95.0] * 20 + [100.0]
    left = [True] + [False] * 19 + [True] * 20 + [True]
    bins = measures.calibration(scores, left)
    assert [part.customers for part in bins] == [20, 21]
    assert bins[0] == (20, pytest.approx(0.05), 0.05)
    assert measures.calibration_error(bins) == pytest.approx(abs(1 - bins[1].predicted) * 21 / 41)
    assert measures.calibration_error([]) is None


def test_brier_score_and_quantiles():
    assert measures.brier([100.0, 0.0], [True, False]) == 0.0
    assert measures.brier([50.0, 50.0], [True, False]) == 0.25
    assert measures.brier([], []) is None
    assert measures.quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert measures.quantile([], 0.5) is None
