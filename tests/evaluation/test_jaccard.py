"""jaccard: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import jaccard_score

from tilth.evaluation.jaccard import Jaccard, overlap


def test_by_hand():
    marks = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0]])
    probs = np.array([[0.9, 0.1, 0.9], [0.9, 0.9, 0.9], [0.6, 0.4, 0.1]])
    assert overlap(marks, probs) == pytest.approx([1, 1 / 3, 0.5])


def test_the_mean_is_scikit_learns():
    marks, probs = several(3)
    assert Jaccard().measure(marks, probs).mean() == pytest.approx(
        jaccard_score(marks, probs >= 0.5, average="samples", zero_division=1)
    )


def test_rows_of_one_class():
    labels, probs = world(4)
    right = probs.argmax(axis=1) == labels
    assert Jaccard().measure(labels, probs).mean() == pytest.approx(right.mean())
