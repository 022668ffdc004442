"""f1_macro: by hand, parity with scikit-learn, where it is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import f1_score

from tilth.core.errors import NotApplicable
from tilth.evaluation.f1_macro import F1Macro


def test_by_hand():
    # Class 0: tp 1, 2 rows, 1 said; class 1: tp 1, 1 row, 2 said.
    labels, probs = np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert F1Macro().linearise(labels, probs).value == pytest.approx(2 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_parity_with_scikit_learn(seed):
    labels, probs = world(4, n=12, seed=seed)
    theirs = f1_score(labels, probs.argmax(axis=1), average="macro")
    assert F1Macro().linearise(labels, probs).value == pytest.approx(theirs)


def test_classes_that_are_not_there_do_not_count():
    labels, probs = world(3)
    wide = np.column_stack([probs, np.zeros(len(probs))])
    assert F1Macro().linearise(labels, wide).value == pytest.approx(F1Macro().linearise(labels, probs).value)


def test_rows_of_several_classes():
    marks, probs = several(3)
    theirs = f1_score(marks, probs >= 0.5, average="macro")
    assert F1Macro().linearise(marks, probs).value == pytest.approx(theirs)


def test_it_is_not_defined_without_a_class():
    with pytest.raises(NotApplicable, match="not defined"):
        F1Macro().linearise(np.zeros((2, 3), dtype=int), np.zeros((2, 3)))
