"""uncertain_pool: by hand, parity with scipy and scikit-learn, budgets, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.neighbors import KNeighborsClassifier

from tilth.core.errors import NotApplicable
from tilth.operators.view import View
from tilth.selection.uncertain_pool import UncertainPool, vote_entropy
from tilth.testing.views import view_of


def line(selector: UncertainPool, **evidence: Any) -> View:
    """Four labelled rows at 0, 1, 2, 3 and three pool rows at -1, 1.5 and 4."""
    facts = {
        "labels": np.array([0, 0, 1, 1, 0, 0, 0]),
        "labelled": np.arange(7) < 4,
        "embeddings": np.array([[0], [1], [2], [3], [-1], [1.5], [4]], dtype=np.float32),
        "splits": np.array(["train"] * 4 + ["pool"] * 3, dtype=object),
    }
    return view_of(selector, **(facts | evidence))


def test_entropy_by_hand():
    shares = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
    assert vote_entropy(shares) == pytest.approx([1.0, 0.0, 0.811278], abs=1e-6)
    assert not np.signbit(vote_entropy(shares)).any()
    assert vote_entropy(np.ones((2, 1))).tolist() == [0, 0]


@given(st.integers(2, 8), st.integers(0, 1000))
def test_entropy_is_the_scaled_entropy(k, seed):
    shares = np.random.default_rng(seed).dirichlet(np.full(k, 0.3), 5)
    assert vote_entropy(shares) == pytest.approx(entropy(shares, axis=1) / np.log(k), abs=1e-9)
    assert (vote_entropy(shares) <= 1 + 1e-9).all()


def test_the_row_between_the_classes_comes_first():
    selector = UncertainPool(neighbours=2)
    chosen = selector.select(line(selector), 2)
    assert chosen.ids.to_pylist() == ["r5", "r4"]
    assert chosen.scores.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("budget", [0, 1, 3, 1000])
def test_budget_and_parity_with_a_neighbour_vote(budget):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(90, 3)).astype(np.float32), rng.integers(3, size=90)
    pool = np.arange(90) >= 60
    selector = UncertainPool()
    view = view_of(
        selector,
        classes=("a", "b", "c"),
        labels=np.where(pool, 0, labels),
        labelled=~pool,
        embeddings=features,
        splits=np.where(pool, "pool", "train"),
    )
    chosen = selector.select(view, budget)
    ids = chosen.ids.to_pylist()
    assert len(ids) == len(set(ids)) == min(budget, 30)
    votes = KNeighborsClassifier(10).fit(features[~pool], labels[~pool]).predict_proba(features[pool])
    scores = entropy(votes, axis=1) / np.log(3)
    assert chosen.scores == pytest.approx(np.sort(scores)[::-1][: len(ids)])
    assert scores[[int(name[1:]) - 60 for name in ids]] == pytest.approx(chosen.scores)


def test_fewer_labelled_rows_than_neighbours():
    selector = UncertainPool(neighbours=50)
    assert selector.select(line(selector), 9).scores == pytest.approx([1, 1, 1])


def test_refusals():
    selector = UncertainPool()
    with pytest.raises(NotApplicable, match="there is no pool of unlabelled rows"):
        selector.select(line(selector, splits=np.array(["train"] * 7, dtype=object)), 2)
    with pytest.raises(NotApplicable, match="no train row has a label that could vote"):
        selector.select(line(selector, labelled=np.zeros(7, dtype=bool)), 2)
    with pytest.raises(NotApplicable, match="the label is a number"):
        selector.select(view_of(selector, classes=(), embeddings=np.zeros((2, 1), np.float32)), 2)
