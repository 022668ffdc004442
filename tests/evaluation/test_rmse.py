"""rmse: by hand, parity with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import numbers
from sklearn.metrics import root_mean_squared_error

from tilth.core.errors import InputError
from tilth.evaluation.rmse import Rmse


def test_by_hand():
    assert Rmse().linearise(np.array([0.0, 0.0]), np.array([[3.0], [-3.0]])).value == -3
    assert Rmse().linearise(np.array([1.0]), np.array([[1.0]])).value == 0


def test_parity_with_scikit_learn():
    truth, predicted = numbers()
    assert -Rmse().linearise(truth, predicted).value == pytest.approx(root_mean_squared_error(truth, predicted[:, 0]))


def test_what_is_no_number_is_refused():
    with pytest.raises(InputError, match="finite"):
        Rmse().linearise(np.array([0.0]), np.array([[np.nan]]))
