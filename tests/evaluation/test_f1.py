"""f1: by hand, parity with scikit-learn, where it is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import f1_score

from tilth.core.errors import InputError, NotApplicable
from tilth.evaluation.f1 import F1


def test_by_hand():
    labels = np.array([1, 1, 0, 0])
    probs = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.9, 0.1]])
    assert F1().linearise(labels, probs).value == pytest.approx(2 * 1 / (2 + 2))


@pytest.mark.parametrize("of", [0, 1, 2])
def test_parity_with_scikit_learn(of):
    labels, probs = world(3)
    theirs = f1_score(labels, probs.argmax(axis=1), labels=[of], average="macro")
    assert F1(of=of).linearise(labels, probs).value == pytest.approx(theirs)


def test_rows_of_several_classes():
    marks, probs = several(3)
    theirs = f1_score(marks[:, 1], probs[:, 1] >= 0.5)
    assert F1(of=1).linearise(marks, probs).value == pytest.approx(theirs)


def test_it_is_not_defined_without_what_it_divides_by():
    with pytest.raises(NotApplicable, match="no row is of the class, and none"):
        F1().linearise(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))


def test_an_unknown_class_is_refused():
    with pytest.raises(InputError, match="no class 7 among 3"):
        F1(of=7).linearise(*world(3))
