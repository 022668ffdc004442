"""relabel_hard: by hand, planted errors get their true class, laws, strengths."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.editing.relabel_hard import RelabelHard, best_class
from tilth.testing.views import view_of


def test_best_class_by_hand():
    best, surety = best_class(np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]))
    assert best.tolist() == [1, 0, 0]
    assert surety.tolist() == [0.8, 0.5, 0.9]


def test_relabels_the_row_on_paper(paper):
    editor = RelabelHard()
    edit = editor.propose(paper(editor))
    assert edit.verb == Verb.RELABEL
    assert edit.set["label"].to_pylist() == [{"_tilth_id": "r2", "value": "yes"}]
    assert edit.expects["label"].to_pylist() == [{"_tilth_id": "r2", "value": "no"}]
    assert editor.choose(paper(editor)).scores == pytest.approx([0.88732], abs=1e-5)
    with pytest.raises(NotApplicable, match=r"no label is contradicted with certainty ≥ 0\.9"):
        RelabelHard(certainty=0.9).propose(paper(RelabelHard(certainty=0.9)))


def test_planted_errors_get_their_true_class(planted, keeps_the_laws):
    editor = RelabelHard(certainty=0.6)
    view, truth = planted(editor)
    wrong = view.labelled & (view.labels != truth)
    cells = keeps_the_laws(editor, view).set["label"]
    rows = np.array([int(name[1:]) for name in cells.column("_tilth_id").to_pylist()])
    new = np.array([view.classes.index(name) for name in cells.column("value").to_pylist()])
    assert (new == truth[rows]).mean() > 0.9
    assert wrong[rows].sum() > 0.7 * (wrong & ~view.trusted).sum()
    assert (new != view.labels[rows]).all()


def test_placebo_gives_each_row_its_most_probable_class(paper):
    editor = RelabelHard()
    edit = editor.propose(paper(editor), np.array([4, 2, 0]))
    assert edit.set["label"].column("value").to_pylist() == ["yes", "yes", "no"]
    assert edit.set["label"].column("value").type == pa.string()


def test_weaker_strengths_change_a_part_of_the_stronger(planted):
    weak, strong = RelabelHard().strengths()
    few, many = (set(editor.choose(planted(editor)[0]).ids.to_pylist()) for editor in (weak, strong))
    assert 0 < len(few) < len(many)
    assert few < many


def test_a_class_keeps_one_row():
    labels = np.array([0] * 20 + [1] * 20 + [2] * 2)
    probs = np.where(np.eye(3)[labels] > 0, 0.9, 0.05)
    probs[40], probs[41] = [0.97, 0.01, 0.02], [0.95, 0.02, 0.03]
    editor = RelabelHard(certainty=0.6)
    edit = editor.propose(view_of(editor, classes=("a", "b", "c"), labels=labels, pred_probs=probs))
    assert edit.touched.to_pylist() == ["r40"]
