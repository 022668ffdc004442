"""mae: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error

from tilth.evaluation.mae import Mae, negative_error


def test_by_hand():
    assert negative_error(np.array([1.0, 2.0, -1.0]), np.array([1.0, 5.0, 1.0])).tolist() == [0, -3, -2]


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20))
def test_minus_the_mean_is_scikit_learns(pairs):
    numbers, predictions = np.array(pairs).T
    scores = Mae().measure(numbers, predictions[:, None])
    assert -scores.mean() == pytest.approx(mean_absolute_error(numbers, predictions))
    assert (scores <= 0).all()
    assert not Mae().stratified
