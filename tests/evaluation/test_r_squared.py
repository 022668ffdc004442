"""r_squared: by hand, parity with scikit-learn, where it is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import numbers
from sklearn.metrics import r2_score

from tilth.core.errors import NotApplicable
from tilth.evaluation.r_squared import RSquared


def test_by_hand():
    assert RSquared().linearise(np.array([0.0, 2.0]), np.array([[0.0], [2.0]])).value == 1
    assert RSquared().linearise(np.array([0.0, 2.0]), np.array([[1.0], [1.0]])).value == 0


def test_parity_with_scikit_learn():
    truth, predicted = numbers()
    assert RSquared().linearise(truth, predicted).value == pytest.approx(r2_score(truth, predicted[:, 0]))


def test_it_is_not_defined_where_all_labels_are_one_number():
    with pytest.raises(NotApplicable, match="all labels are one number"):
        RSquared().linearise(np.ones(3), np.ones((3, 1)))
