"""accuracy: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from tilth.evaluation.accuracy import Accuracy, correct


def test_by_hand():
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])
    assert correct(np.array([0, 0, 0, 1]), probs).tolist() == [1, 0, 1, 0]


@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 1000))
def test_the_mean_is_scikit_learns_accuracy(k, n, seed):
    rng = np.random.default_rng(seed)
    labels, probs = rng.integers(k, size=n), rng.dirichlet(np.ones(k), n)
    scores = Accuracy().measure(labels, probs)
    assert scores.mean() == pytest.approx(accuracy_score(labels, probs.argmax(axis=1)))
    assert set(scores) <= {0.0, 1.0}
    assert not Accuracy().stratified
