"""brier: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import world
from sklearn.metrics import brier_score_loss

from tilth.evaluation.brier import Brier, minus_brier


def test_by_hand():
    scores = minus_brier(np.array([0, 1]), np.array([[0.8, 0.2], [1.0, 0.0]]))
    assert scores == pytest.approx([-0.04, -1.0])


@pytest.mark.parametrize("k", [2, 4])
def test_the_mean_is_scikit_learns(k):
    labels, probs = world(k)
    given = probs[:, 1] if k == 2 else probs
    theirs = brier_score_loss(labels, given, scale_by_half=True)
    assert -Brier().measure(labels, probs).mean() == pytest.approx(theirs)
