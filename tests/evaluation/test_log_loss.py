"""log_loss: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import world
from sklearn.metrics import log_loss

from tilth.evaluation.log_loss import LogLoss, log_score


def test_by_hand():
    scores = log_score(np.array([0, 1]), np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert scores == pytest.approx([-np.log(2), np.log(np.finfo(float).eps)])


@pytest.mark.parametrize("k", [2, 4])
def test_the_mean_is_scikit_learns(k):
    labels, probs = world(k)
    assert -LogLoss().measure(labels, probs).mean() == pytest.approx(log_loss(labels, probs))
