"""Odd datasets: editors of class labels answer or refuse in words, and never take a class away."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import TARGET, WEIGHT
from tilth.editing.relabel_hard import RelabelHard
from tilth.editing.relabel_soft import RelabelSoft
from tilth.editing.remove_label_errors import RemoveLabelErrors
from tilth.editing.reweight_doubt import ReweightDoubt
from tilth.testing.views import view_of

DOUBTERS = [
    editor for kind in (RemoveLabelErrors, RelabelHard, RelabelSoft, ReweightDoubt) for editor in kind().strengths()
]
pytestmark = pytest.mark.parametrize("editor", DOUBTERS, ids=str)


def names(k: int) -> tuple[str, ...]:
    return tuple(f"c{c}" for c in range(k))


@pytest.mark.parametrize("k", [2, 77])
def test_two_classes_and_seventy_seven(editor, noisy, k):
    truth, given, probs = noisy(max(300, 20 * k), k)
    view = view_of(editor, classes=names(k), labels=given, pred_probs=probs)
    chosen = editor.choose(view)
    assert len(chosen) > 0
    wrong = (given != truth)[[int(name[1:]) for name in chosen.ids.to_pylist()]]
    assert wrong[: len(wrong) // 4].mean() > 0.9
    edit = editor.propose(view)
    if TARGET in edit.set:
        assert np.array(edit.set[TARGET].column("value").to_pylist()).sum(axis=1) == pytest.approx(1, abs=1e-5)
    if WEIGHT in edit.set:
        assert min(edit.set[WEIGHT].column("value").to_pylist()) > 0


def test_a_class_of_one_row_is_left_alone(editor, noisy):
    # Out of sample no model knew class 2: it gives the row's label no probability at all.
    _, given, probs = noisy(200, 2)
    labels = np.append(given, 2)
    probs = np.column_stack([np.vstack([probs, [0.99, 0.01]]), np.zeros(201)])
    edit = editor.propose(view_of(editor, classes=names(3), labels=labels, pred_probs=probs))
    assert edit.n_rows > 0
    assert "r200" not in edit.touched.to_pylist()


def test_a_class_without_rows_changes_nothing(editor, noisy):
    _, given, probs = noisy(200, 2)
    plain = editor.propose(view_of(editor, classes=names(2), labels=given, pred_probs=probs))
    wide = np.column_stack([probs, np.zeros(200)])
    more = editor.propose(view_of(editor, classes=names(3), labels=given, pred_probs=wide))
    assert plain.touched.to_pylist() == more.touched.to_pylist()


def test_all_rows_trusted(editor, noisy):
    _, given, probs = noisy(40, 2)
    view = view_of(editor, labels=given, pred_probs=probs, trusted=np.ones(40, dtype=bool))
    with pytest.raises(NotApplicable, match="a person confirmed every label: there is none to doubt"):
        editor.propose(view)


def test_no_label_at_all(editor, noisy):
    _, given, probs = noisy(40, 2)
    view = view_of(editor, labels=given, pred_probs=probs, labelled=np.zeros(40, dtype=bool))
    with pytest.raises(NotApplicable, match="no train row has a label"):
        editor.choose(view)


def test_one_class(editor):
    view = view_of(editor, labels=np.zeros(40, int), pred_probs=np.tile([0.6, 0.4], (40, 1)))
    with pytest.raises(NotApplicable, match="every label is 'no': none can be taken for another class"):
        editor.propose(view)


def test_numbers(editor):
    with pytest.raises(NotApplicable, match="it edits class labels, and the label is a number"):
        editor.propose(view_of(editor, classes=(), numbers=np.zeros(5), predictions=np.zeros(5)))


def test_predictions_that_know_nothing_change_nothing(editor):
    rng = np.random.default_rng(1)
    view = view_of(editor, labels=(rng.random(300) < 0.1).astype(int), pred_probs=rng.dirichlet([9, 1], 300))
    with pytest.raises(NotApplicable, match="no more than the shares of the classes do"):
        editor.propose(view)
