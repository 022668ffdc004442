"""average_precision: by hand, parity with scikit-learn, where it is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import average_precision_score

from tilth.core.errors import NotApplicable
from tilth.evaluation.average_precision import AveragePrecision
from tilth.numerics.ranking_measures import average_precision


def test_by_hand():
    # By falling score: .8 positive (1/1), .4 negative, .35 positive (2/3), .1 negative.
    found = average_precision(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8]))
    assert found.value == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("digits", [1, 9])
def test_parity_with_scikit_learn(k, digits):
    labels, probs = world(k)
    given = np.round(probs, digits)
    classes = [1] if k == 2 else range(k)
    theirs = np.mean([average_precision_score(labels == c, given[:, c]) for c in classes])
    assert AveragePrecision().linearise(labels, given).value == pytest.approx(theirs)


def test_rows_of_several_classes():
    marks, probs = several(3)
    theirs = average_precision_score(marks, probs, average="macro")
    assert AveragePrecision().linearise(marks, probs).value == pytest.approx(theirs)


def test_it_is_not_defined_without_a_row_of_the_class():
    with pytest.raises(NotApplicable, match="no row is of the class"):
        AveragePrecision().linearise(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))
