"""hamming: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import hamming_loss

from tilth.evaluation.hamming import Hamming, share_right


def test_by_hand():
    marks = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0]])
    probs = np.array([[0.9, 0.1, 0.9], [0.9, 0.9, 0.9], [0.6, 0.4, 0.1]])
    assert share_right(marks, probs) == pytest.approx([1, 1 / 3, 2 / 3])


def test_the_mean_is_scikit_learns():
    marks, probs = several(3)
    assert Hamming().measure(marks, probs).mean() == pytest.approx(1 - hamming_loss(marks, probs >= 0.5))


def test_rows_of_one_class():
    labels, probs = world(4)
    right = probs.argmax(axis=1) == labels
    assert Hamming().measure(labels, probs).mean() == pytest.approx(1 - 2 * (1 - right.mean()) / 4)
