"""precision: by hand, parity with scikit-learn, where it is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import precision_score

from tilth.core.errors import InputError, NotApplicable
from tilth.evaluation.precision import Precision


def test_by_hand():
    labels = np.array([1, 1, 0, 0])
    probs = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.9, 0.1]])
    assert Precision().linearise(labels, probs).value == pytest.approx(1 / 2)


@pytest.mark.parametrize("of", [0, 1, 2])
def test_parity_with_scikit_learn(of):
    labels, probs = world(3)
    theirs = precision_score(labels, probs.argmax(axis=1), labels=[of], average="macro")
    assert Precision(of=of).linearise(labels, probs).value == pytest.approx(theirs)


def test_rows_of_several_classes():
    marks, probs = several(3)
    theirs = precision_score(marks[:, 1], probs[:, 1] >= 0.5)
    assert Precision(of=1).linearise(marks, probs).value == pytest.approx(theirs)


def test_it_is_not_defined_without_what_it_divides_by():
    with pytest.raises(NotApplicable, match="no row is said to be of the class"):
        Precision().linearise(np.array([1, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))


def test_an_unknown_class_is_refused():
    with pytest.raises(InputError, match="no class 7 among 3"):
        Precision(of=7).linearise(*world(3))
