"""relabel_soft: by hand, targets are distributions, planted errors, laws, strengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.edit import Edit, Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import TARGET
from tilth.editing.relabel_soft import RelabelSoft, softened
from tilth.testing.views import view_of


def targets_of(edit: Edit) -> np.ndarray:
    return np.array(edit.set[TARGET].column("value").to_pylist())


def test_softened_by_hand():
    posterior = np.array([[0.25, 0.75], [1.0, 0.0]])
    assert softened(np.array([0, 0]), posterior, 0.5).tolist() == [[0.625, 0.375], [1.0, 0.0]]
    assert softened(np.array([0, 1]), posterior, 1.0).tolist() == posterior.tolist()
    assert softened(np.array([0, 1]), posterior, 0.0).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@given(st.integers(1, 6), st.floats(0, 1), st.integers(0, 1000))
def test_targets_are_distributions(n_classes, strength, seed):
    rng = np.random.default_rng(seed)
    targets = softened(rng.integers(n_classes, size=8), rng.dirichlet(np.ones(n_classes), 8), strength)
    assert targets.sum(axis=1) == pytest.approx(np.ones(8))
    assert (targets >= 0).all()


def test_softens_the_rows_on_paper(paper):
    editor = RelabelSoft(strength=0.5)
    edit = editor.propose(paper(editor))
    assert edit.verb == Verb.RELABEL
    assert edit.touched.to_pylist() == ["r2", "r0", "r1"]
    expected = [[0.55634, 0.44366], [0.96210, 0.03790], [0.96210, 0.03790]]
    assert targets_of(edit) == pytest.approx(np.array(expected), abs=1e-5)
    assert set(edit.set) == {TARGET}, "the label stays"
    few = RelabelSoft(least_doubt=0.5)
    assert few.propose(paper(few)).touched.to_pylist() == ["r2"]


def test_no_label_is_in_doubt(paper):
    editor = RelabelSoft(least_doubt=0.95)
    assert len(editor.choose(paper(editor))) == 0
    with pytest.raises(NotApplicable, match=r"no label is wrong with a probability of 0\.95 or more"):
        editor.propose(paper(editor))


def test_planted_errors_lean_toward_the_truth(planted, keeps_the_laws):
    editor = RelabelSoft()
    view, truth = planted(editor)
    wrong = view.labelled & (view.labels != truth)
    edit = keeps_the_laws(editor, view)
    targets = targets_of(edit)
    rows = np.array([int(name[1:]) for name in edit.touched.to_pylist()])
    assert targets.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-6)
    kept = targets[np.arange(len(rows)), view.labels[rows]]
    assert np.median(kept[wrong[rows]]) < 0.3
    assert wrong[rows].sum() > 0.9 * (wrong & ~view.trusted).sum()


def test_stronger_means_further_from_the_label(planted):
    _, weak, strong = RelabelSoft(least_doubt=0.2).strengths()
    assert (weak.least_doubt, strong.least_doubt) == (0.2, 0.2), "strengths keep the other parameters"
    one, two = (editor.propose(planted(editor)[0]) for editor in (weak, strong))
    assert one.touched.to_pylist() == two.touched.to_pylist()
    labels = planted(weak)[0].labels[[int(name[1:]) for name in one.touched.to_pylist()]]
    rows = np.arange(len(labels))
    assert (targets_of(one)[rows, labels] > targets_of(two)[rows, labels]).all()


def test_confirmed_noise_is_taken_from_the_likelihood_and_counted_noise_is_not():
    labels, probs = np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    truth = np.array([[1.0, 0.0], [0.3, 0.7], [0.0, 1.0], [0.02, 0.98]])
    editor = RelabelSoft(noise="confirmed")
    edit = editor.propose(view_of(editor, labels=labels, pred_probs=probs, truth_probs=truth))
    assert edit.touched.to_pylist() == ["r1"]
    assert edit.set[TARGET].column("value").to_pylist()[0] == pytest.approx([0.3, 0.7])
    clean = view_of(editor, labels=labels, pred_probs=probs, truth_probs=np.eye(2)[labels])
    with pytest.raises(NotApplicable, match="no label is wrong"):
        editor.propose(clean)
