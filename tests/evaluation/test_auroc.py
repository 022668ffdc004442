"""auroc: by hand, parity with scikit-learn and with DeLong's variance by pairs, where it is not defined."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import several, world
from sklearn.metrics import roc_auc_score

from tilth.core.errors import NotApplicable
from tilth.evaluation.auroc import Auroc
from tilth.numerics.ranking_measures import auroc


def test_by_hand():
    # Pairs: (.4, .1) won, (.4, .5) lost, (.9, .1) and (.9, .5) won.
    assert auroc(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.5, 0.9])).value == 0.75


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("digits", [1, 9])
def test_parity_with_scikit_learn(k, digits):
    labels, probs = world(k)
    given = np.round(probs, digits)
    if k == 2:
        given[:, 0] = 1 - given[:, 1]
        theirs = roc_auc_score(labels, given[:, 1])
    else:
        theirs = np.mean([roc_auc_score(labels == c, given[:, c]) for c in range(k)])
    assert Auroc().linearise(labels, given).value == pytest.approx(theirs)


def test_rows_of_several_classes():
    marks, probs = several(3)
    assert Auroc().linearise(marks, probs).value == pytest.approx(roc_auc_score(marks, probs, average="macro"))


def test_the_spread_of_its_rows_is_delongs_variance():
    labels, probs = world(2, n=40)
    positive, scores = labels == 1, np.round(probs[:, 1], 1)
    wins = (scores[positive][:, None] > scores[~positive]) + 0.5 * (scores[positive][:, None] == scores[~positive])
    by_pairs = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()
    found = auroc(positive, scores)
    assert ((found.rows - found.value) ** 2).sum() / len(labels) ** 2 == pytest.approx(by_pairs)


@pytest.mark.parametrize(("labels", "why"), [([1, 1], "every row"), ([0, 0], "no row")])
def test_it_is_not_defined_for_one_class(labels, why):
    with pytest.raises(NotApplicable, match=why):
        Auroc().linearise(np.array(labels), np.array([[0.9, 0.1], [0.8, 0.2]]))


def test_it_says_which_of_many_classes_is_missing():
    with pytest.raises(NotApplicable, match="class 2"):
        Auroc().linearise(np.array([0, 1, 0]), np.full((3, 3), 1 / 3))
