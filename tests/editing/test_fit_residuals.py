"""fit_residuals: by hand, share, parity with the formula in a loop, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.fit_residuals import FitResiduals, residual_weights
from tilth.testing.views import view_of


def test_residual_weights_by_hand():
    # classes of 2 and 1 rows; exp(-p) / rows: e^-.5/2 = .30327, e^-1/2 = .18394, e^-0/1 = 1; mean .49574
    probs = np.array([[0.5, 0.5], [1.0, 0.0], [1.0, 0.0]])
    found = residual_weights(np.array([0, 0, 1]), probs, 1.0)
    assert found == pytest.approx([0.61175, 0.37104, 2.01720], abs=1e-4)


def test_parity_with_a_loop():
    rng = np.random.default_rng(0)
    labels, probs = rng.integers(3, size=50), rng.dirichlet(np.ones(3), 50)
    raw = [math.exp(-2 * probs[i, y]) / int((labels == y).sum()) for i, y in enumerate(labels)]
    assert residual_weights(labels, probs, 2.0) == pytest.approx(np.array(raw) / np.mean(raw))


def test_the_edit_mixes_with_the_old_weights():
    editor = FitResiduals(share=0.25, gamma=2.0)
    rng = np.random.default_rng(1)
    labels, probs = rng.integers(2, size=40), rng.dirichlet(np.ones(2), 40)
    labelled, slices = np.arange(40) > 3, {"rare": (np.arange(40) < 9).astype(float)}
    view = view_of(editor, labels=labels, pred_probs=probs, weights=np.full(40, 2.0), labelled=labelled, slices=slices)
    edit = editor.propose(view)
    expected = 2 * (0.75 + 0.25 * residual_weights(labels[labelled], probs[labelled], 2.0))
    assert edit.set[WEIGHT].column("value").to_pylist() == pytest.approx(expected)
    scores = editor.choose(view).scores
    assert (np.diff(scores) <= 0).all()
    assert [e.share for e in editor.strengths()] == [0.1, 0.25, 0.5]


def test_refusals():
    editor = FitResiduals()
    with pytest.raises(NotApplicable, match="the label is a number"):
        editor.propose(view_of(editor, classes=(), numbers=np.zeros(9), labels=np.zeros(9, int)))
    probs = np.full((9, 2), 0.5)
    with pytest.raises(NotApplicable, match="no slice is declared"):
        editor.propose(view_of(editor, labels=np.arange(9) % 2, pred_probs=probs, weights=np.ones(9)))
