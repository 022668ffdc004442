"""top_k: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import world
from sklearn.metrics import top_k_accuracy_score

from tilth.evaluation.top_k import TopK, among_top


def test_by_hand():
    probs = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    assert among_top(np.array([1, 2, 2, 1]), probs, 2).tolist() == [1, 0, 1, 0]  # ties count against the label


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_mean_is_scikit_learns(k):
    labels, probs = world(5)
    theirs = top_k_accuracy_score(labels, probs, k=k, labels=np.arange(5))
    assert TopK(k=k).measure(labels, probs).mean() == pytest.approx(theirs)
