"""upweight_errors: by hand, planted minority, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.upweight_errors import UpweightErrors, is_error
from tilth.testing.views import view_of

SLICES = {"rare": (np.arange(100) < 30).astype(float)}


def test_is_error_by_hand():
    probs = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    assert is_error(np.array([0, 0, 0]), probs).tolist() == [False, True, False]


def test_the_rows_predicted_wrong_count_more_worst_first():
    editor = UpweightErrors(times=3.0)
    labels = np.arange(100) % 2
    own = np.where(np.arange(100) < 30, 0.01 * (30 - np.arange(100)), 0.9)
    probs = np.where(np.eye(2)[labels] > 0, own[:, None], 1 - own[:, None])
    view = view_of(editor, labels=labels, pred_probs=probs, weights=np.full(100, 2.0), slices=SLICES)
    edit = editor.propose(view)
    assert edit.touched.to_pylist() == [f"r{i}" for i in range(29, -1, -1)]
    assert set(edit.set[WEIGHT].column("value").to_pylist()) == {6.0}
    assert editor.choose(view).ids.to_pylist() == edit.touched.to_pylist()
    with pytest.raises(NotApplicable, match="0 rows are predicted wrong, fewer than 20"):
        editor.propose(
            view_of(editor, labels=labels, pred_probs=np.eye(2)[labels], weights=np.ones(100), slices=SLICES)
        )


def test_strengths_and_refusals():
    editor = UpweightErrors()
    assert [e.times for e in editor.strengths()] == [2.0, 4.0, 10.0]
    with pytest.raises(NotApplicable, match="fewer than two classes"):
        editor.propose(view_of(editor, labels=np.zeros(9, int), pred_probs=np.eye(2)[[0] * 9], weights=np.ones(9)))
