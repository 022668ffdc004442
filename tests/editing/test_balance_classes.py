"""balance_classes: by hand, parity with scikit-learn, totals per class, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.balance_classes import BalanceClasses, balancing_weights
from tilth.testing.views import view_of


def test_weights_by_hand():
    # 3 rows against 1: 4/3 and 4, of mean 2
    assert balancing_weights(np.array([0, 0, 0, 1]), 2, 1.0) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    # square roots: sqrt(4/3) and 2, of mean (3 · 1.154701 + 2) / 4 = 1.366025
    halfway = balancing_weights(np.array([0, 0, 0, 1]), 2, 0.5)
    assert halfway == pytest.approx([0.845299, 0.845299, 0.845299, 1.464102], abs=1e-6)
    assert balancing_weights(np.array([0, 0, 0, 1]), 2, 0.0).tolist() == [1, 1, 1, 1]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.floats(0, 1))
def test_positive_with_mean_one_and_rarer_counts_more(labels, strength):
    codes = np.array(labels)
    weights = balancing_weights(codes, 5, strength)
    assert (weights > 0).all()
    assert weights.mean() == pytest.approx(1)
    counts = np.bincount(codes)[codes]
    assert (np.diff(weights[np.argsort(counts, kind="stable")]) <= 1e-12).all()
    if strength == 1:
        assert weights == pytest.approx(compute_sample_weight("balanced", codes))


def test_the_edit_sets_the_weights_of_labelled_rows():
    editor = BalanceClasses()
    labelled = np.array([True, True, True, True, False])
    view = view_of(editor, labels=np.array([0, 0, 0, 1, 1]), labelled=labelled)
    edit = editor.propose(view)
    assert (edit.verb, set(edit.set)) == (Verb.MODIFY, {WEIGHT})
    assert edit.touched.to_pylist() == editor.choose(view).ids.to_pylist() == ["r0", "r1", "r2", "r3"]
    assert edit.set[WEIGHT].column("value").to_pylist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    some = editor.propose(view, np.array([3, 0]))
    assert some.touched.to_pylist() == ["r3", "r0"]
    assert some.set[WEIGHT].column("value").to_pylist() == pytest.approx([2, 2 / 3])


def test_strengths_grow_and_keep_the_ratio():
    assert [editor.strength for editor in BalanceClasses(least_ratio=2.0).strengths()] == [0.5, 1.0]
    assert {editor.least_ratio for editor in BalanceClasses(least_ratio=2.0).strengths()} == {2.0}


def test_refusals():
    editor = BalanceClasses()
    similar = view_of(editor, labels=np.array([0, 0, 1, 1, 1]))
    with pytest.raises(NotApplicable, match="similar size: 3 rows against 2, less than 3 to 1"):
        editor.propose(similar)
    with pytest.raises(NotApplicable, match="fewer than two classes"):
        editor.choose(view_of(editor, labels=np.zeros(5, int)))
    with pytest.raises(NotApplicable, match="the label is a number"):
        editor.propose(view_of(editor, classes=(), numbers=np.zeros(5)))


def test_a_class_of_one_row_gets_the_total_of_the_others():
    editor = BalanceClasses()
    view = view_of(editor, classes=("a", "b", "c", "nobody"), labels=np.array([0] * 6 + [1] * 6 + [2]))
    weights = np.asarray(editor.propose(view).set[WEIGHT].column("value"))
    assert [weights[view.labels == c].sum() for c in range(3)] == pytest.approx([13 / 3] * 3)
