"""reweight_doubt: by hand, weights are positive, planted errors weigh less, laws."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.reweight_doubt import ReweightDoubt, trust_weights


def test_trust_weights_by_hand():
    posterior = np.array([[0.3, 0.7], [0.99, 0.01]])
    assert trust_weights(np.array([0, 1]), posterior, 0.05).tolist() == [0.3, 0.05]


def test_weighs_the_rows_on_paper(paper):
    editor = ReweightDoubt()
    edit = editor.propose(paper(editor))
    assert (edit.verb, set(edit.set)) == (Verb.MODIFY, {WEIGHT})
    assert edit.touched.to_pylist() == ["r2", "r0", "r1"]
    assert edit.set[WEIGHT].column("value").to_pylist() == pytest.approx([0.11268, 0.92419, 0.92419], abs=1e-5)


def test_no_label_is_in_doubt(paper):
    editor = ReweightDoubt(least_doubt=0.95)
    assert len(editor.choose(paper(editor))) == 0
    with pytest.raises(NotApplicable, match=r"no label is wrong with a probability of 0\.95 or more"):
        editor.propose(paper(editor))


def test_planted_errors_weigh_less(planted, keeps_the_laws):
    editor = ReweightDoubt()
    view, truth = planted(editor)
    wrong = view.labelled & (view.labels != truth)
    edit = keeps_the_laws(editor, view)
    weights = np.ones(len(view))
    rows = [int(name[1:]) for name in edit.touched.to_pylist()]
    weights[rows] = edit.set[WEIGHT].column("value").to_pylist()
    assert (weights >= editor.floor).all()
    assert (weights <= 1).all()
    findable = view.labelled & ~view.trusted
    assert np.median(weights[findable & wrong]) < 0.3
    assert np.median(weights[findable & ~wrong]) > 0.9


def test_one_strength_with_its_own_parameters():
    assert ReweightDoubt(floor=0.2).strengths() == (ReweightDoubt(floor=0.2),)
