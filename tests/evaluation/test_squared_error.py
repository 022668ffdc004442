"""squared_error: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import numbers
from sklearn.metrics import mean_squared_error

from tilth.evaluation.squared_error import SquaredError, minus_squares


def test_by_hand():
    assert minus_squares(np.array([1.0, 2.0]), np.array([1.0, 5.0])).tolist() == [0, -9]


def test_the_mean_is_scikit_learns():
    truth, predicted = numbers()
    theirs = mean_squared_error(truth, predicted[:, 0])
    assert -SquaredError().measure(truth, predicted).mean() == pytest.approx(theirs)
