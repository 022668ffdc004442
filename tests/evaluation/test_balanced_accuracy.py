"""balanced_accuracy: by hand, parity with scikit-learn once averaged class by class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from tilth.evaluation.balanced_accuracy import BalancedAccuracy, class_correct


def test_by_hand():
    # Class 0: 3 of 4 right; class 1: 0 of 1. Balanced 3/8, where plain accuracy is 3/5.
    labels = np.array([0, 0, 0, 0, 1])
    scores = class_correct(labels, np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0.6, 0.4]]))
    assert scores.tolist() == [1, 1, 1, 0, 0]
    assert np.mean([scores[labels == c].mean() for c in (0, 1)]) == 3 / 8


@given(st.integers(2, 5), st.integers(0, 1000))
def test_the_mean_of_class_means_is_scikit_learns(k, seed):
    rng = np.random.default_rng(seed)
    labels, probs = np.append(np.arange(k), rng.integers(k, size=20)), rng.dirichlet(np.ones(k), k + 20)
    scores = BalancedAccuracy().measure(labels, probs)
    balanced = np.mean([scores[labels == c].mean() for c in range(k)])
    assert balanced == pytest.approx(balanced_accuracy_score(labels, probs.argmax(axis=1)))
    assert BalancedAccuracy().stratified
