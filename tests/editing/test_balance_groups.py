"""balance_groups: by hand, totals per group, few group labels guessed or counting little, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.balance_groups import LITTLE, BalanceGroups, balanced
from tilth.testing.views import view_of


def planted(editor, *, known: int = 600, **evidence):
    rng = np.random.default_rng(0)
    attribute = (rng.random(600) < 0.15).astype(np.intp)
    labels = np.where(rng.random(600) < 0.9, attribute, 1 - attribute)
    features = (4.0 * np.eye(2, 5)[attribute] + rng.standard_normal((600, 5))).astype(np.float32)
    given = np.arange(600) < known
    slices = {name: ((attribute == a) & given).astype(float) for a, name in enumerate(("plain", "rare"))}
    facts = {"labels": labels, "embeddings": features, "weights": np.ones(600), "slices": slices}
    return view_of(editor, **(facts | evidence)), attribute * 2 + labels


def weights_of(edit):
    return np.asarray(edit.set[WEIGHT].column("value"))[np.argsort([int(i[1:]) for i in edit.touched.to_pylist()])]


def test_balanced_by_hand():
    assert balanced(np.array([1.0, 1.0]), np.array([1.0, 3.0])).tolist() == [0.5, 1.5]


def test_groups_get_one_total_and_the_mean_stays():
    editor = BalanceGroups(most_times=1e6)
    view, groups = planted(editor)
    weights = weights_of(editor.propose(view))
    totals = np.bincount(groups, weights)
    assert totals == pytest.approx(np.full(4, 150.0))
    assert weights.mean() == pytest.approx(1)
    half = weights_of(BalanceGroups(strength=0.5).propose(planted(BalanceGroups())[0]))
    assert half.max() / half.min() == pytest.approx(np.sqrt(weights.max() / weights.min()))


def test_few_group_labels_are_spread():
    editor = BalanceGroups(others="guessed")
    view, groups = planted(editor, known=120)
    totals = np.bincount(groups, weights_of(editor.propose(view)))
    assert totals.max() / totals.min() < 2.2
    assert np.bincount(groups).max() / np.bincount(groups).min() > 20


def test_rows_of_no_slice_count_little():
    editor = BalanceGroups(others="little")
    view, _ = planted(editor, known=120)
    weights = weights_of(editor.propose(view))
    assert np.unique(weights[120:]).size == 1
    assert weights[120] == pytest.approx(LITTLE * weights[:120].min())


def test_refusals():
    guess = BalanceGroups(others="guessed")
    with pytest.raises(NotApplicable, match="every row has a slice"):
        guess.propose(planted(guess)[0])
    with pytest.raises(NotApplicable, match="too few rows have a slice"):
        guess.propose(planted(guess, known=10)[0])
    with pytest.raises(NotApplicable, match="no slice"):
        guess.propose(planted(guess, slices={})[0])
    assert len(set(BalanceGroups().strengths())) == 6
