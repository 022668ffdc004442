"""Views for editors: one that paper can check, one whose wrong labels are known, and the laws that all editors keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tilth.core.edit import Edit
from tilth.operators.view import View
from tilth.testing.views import view_of

# Labels 0: two rows count as 0 and one as 1; labels 1 are clean: T = [[1, 0], [1/4, 3/4]].
# Rows 0, 1: p = (.8, .2), p T = (.85, .15), one EM step q = (.75294, .24706), q T[:, 0] = (.75294, .06176): doubt .07581
# Row 2:     p = (.1, .9), p T = (.325, .675), q = (.03077, .96923), q T[:, 0] = (.03077, .24231): doubt .88732
# Rows 3-5:  T[0, 1] = 0: doubt 0
PAPER_LABELS = np.array([0, 0, 0, 1, 1, 1])
PAPER_PROBS = np.array([[0.8, 0.2], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]])


@pytest.fixture
def paper() -> Callable[..., View]:
    """The view of six rows above; doubts .07581, .07581, .88732, 0, 0, 0."""

    def make(editor: Any, **evidence: Any) -> View:
        return view_of(editor, **({"labels": PAPER_LABELS, "pred_probs": PAPER_PROBS} | evidence))

    return make


@pytest.fixture
def noisy() -> Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Make true labels, given labels of which a share was redrawn, and the predictions of a model that sees the truth."""

    def make(n: int, k: int, *, share: float = 0.25, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        truth = np.arange(n) % k
        given = np.where(rng.random(n) < share, rng.integers(k, size=n), truth)
        surety = rng.uniform(0.7, 1.0, size=(n, 1))
        return truth, given, surety * np.eye(k)[truth] + (1 - surety) * rng.dirichlet(np.full(k, 0.5), n)

    return make


@pytest.fixture
def planted(noisy: Callable[..., tuple[np.ndarray, ...]]) -> Callable[[Any], tuple[View, np.ndarray]]:
    """Make the view of 600 rows of three classes, every tenth unlabelled, every seventh trusted, and their true labels."""

    def make(editor: Any) -> tuple[View, np.ndarray]:
        truth, given, probs = noisy(600, 3)
        rows = np.arange(600)
        facts = {"labels": given, "pred_probs": probs, "labelled": rows % 10 > 0, "trusted": rows % 7 == 0}
        return view_of(editor, classes=("a", "b", "c"), **facts), truth

    return make


@pytest.fixture
def keeps_the_laws() -> Callable[[Any, View], Edit]:
    """Check what holds for each editor of labels, and return its edit."""

    def check(editor: Any, view: View) -> Edit:
        edit = editor.propose(view)
        chosen = editor.choose(view)
        touched = set(edit.touched.to_pylist())
        open_rows = set(view.take_ids(view.labelled & ~view.trusted).to_pylist())
        assert touched <= open_rows, "only labelled rows that no person confirmed"
        assert touched == set(chosen.ids.to_pylist())
        assert (np.diff(chosen.scores) <= 0).all(), "most urgent first"
        assert edit.operator == view.spec
        assert edit.edit_id == editor.propose(view).edit_id
        rows = np.random.default_rng(0).choice(np.flatnonzero(view.labelled), size=9, replace=False)
        for drawn in (rows, rows[:0]):
            assert editor.propose(view, drawn).touched.to_pylist() == view.take_ids(drawn).to_pylist(), "placebo"
        return edit

    return check
