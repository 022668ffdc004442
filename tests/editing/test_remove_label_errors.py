"""remove_label_errors: by hand, planted errors, laws, strengths, classes that would be lost."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.editing._shared import label_doubt
from tilth.editing.remove_label_errors import RemoveLabelErrors
from tilth.testing.views import view_of


def test_doubt_by_hand():
    posterior = np.array([[0.25, 0.75], [1.0, 0.0], [0.4, 0.6]])
    assert label_doubt(np.array([0, 0, 1]), posterior).tolist() == pytest.approx([0.75, 0.0, 0.4])


def test_drops_the_row_on_paper(paper):
    editor = RemoveLabelErrors()
    chosen = editor.choose(paper(editor))
    assert chosen.ids.to_pylist() == ["r2"]
    assert chosen.scores == pytest.approx([0.88732], abs=1e-5)
    edit = editor.propose(paper(editor))
    assert (edit.verb, edit.drop.to_pylist(), dict(edit.set)) == (Verb.REMOVE, ["r2"], {})


def test_nothing_is_doubtful_enough(paper):
    editor = RemoveLabelErrors(doubt=0.9)
    assert len(editor.choose(paper(editor))) == 0
    with pytest.raises(NotApplicable, match=r"no label is wrong with a probability above 0\.9"):
        editor.propose(paper(editor))


def test_planted_errors_go(planted, keeps_the_laws):
    editor = RemoveLabelErrors()
    view, truth = planted(editor)
    wrong = view.labelled & (view.labels != truth)
    dropped = np.isin(view.ids.to_pylist(), keeps_the_laws(editor, view).drop.to_pylist())
    findable = wrong & ~view.trusted
    assert wrong[dropped].mean() > 0.9
    assert dropped[findable].mean() > 0.8


def test_weaker_strengths_drop_a_part_of_the_stronger(planted):
    weak, _, strong = RemoveLabelErrors().strengths()
    few, many = (set(editor.choose(planted(editor)[0]).ids.to_pylist()) for editor in (weak, strong))
    assert 0 < len(few) < len(many)
    assert few < many


def test_a_class_keeps_its_least_doubted_row():
    # Class 2 has two rows, both of which look like class 0.
    labels = np.array([0] * 20 + [1] * 20 + [2] * 2)
    probs = np.where(np.eye(3)[labels] > 0, 0.9, 0.05)
    probs[40], probs[41] = [0.97, 0.01, 0.02], [0.95, 0.02, 0.03]
    editor = RemoveLabelErrors()
    view = view_of(editor, classes=("a", "b", "c"), labels=labels, pred_probs=probs)
    assert editor.propose(view).drop.to_pylist() == ["r40"]
