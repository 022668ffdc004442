"""relabel_slice: noise counted within the slice finds what the noise of all rows hides; laws and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.editing.relabel_slice import RelabelSlice, posterior_inside
from tilth.numerics.noise import truth_posterior
from tilth.testing.views import view_of


def planted(editor, *, seed: int = 0, **evidence):
    """1,500 rows, 40 % wrong labels of one kind in a slice of 10 %, and none elsewhere; predictions know the truth fairly well."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=1500)
    inside = np.arange(1500) % 10 == 0
    given = np.where(inside & (truth == 1) & (rng.random(1500) < 0.4), 0, truth)
    surety = rng.uniform(0.6, 0.95, size=(1500, 1))
    probs = surety * np.eye(2)[truth] + (1 - surety) * np.eye(2)[1 - truth]
    facts = {"labels": given, "pred_probs": probs, "slices": {"spoilt": inside.astype(float)}}
    return view_of(editor, **(facts | evidence)), truth, inside


def test_posterior_inside_by_hand():
    labels, probs = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]])
    inside = np.array([True, True, False])
    truth = posterior_inside(labels, probs, inside)
    assert truth[2].tolist() == [0.0, 1.0]
    assert truth[:2] == pytest.approx(truth_posterior(labels[:2], probs[:2]))


def test_mends_the_slice_and_nothing_else():
    editor = RelabelSlice(certainty=0.6)
    view, truth, inside = planted(editor)
    edit = editor.propose(view)
    rows = np.array([int(name[1:]) for name in edit.touched.to_pylist()])
    wrong = view.labels != truth
    assert inside[rows].all()
    assert wrong[rows].mean() > 0.9, "precision"
    assert np.isin(np.flatnonzero(wrong), rows).mean() > 0.7, "recall"
    posterior = truth_posterior(view.labels, view.pred_probs)
    everywhere = (posterior.argmax(axis=1) != view.labels) & (posterior.max(axis=1) >= 0.6)
    assert everywhere[wrong].mean() < 0.5 * np.isin(np.flatnonzero(wrong), rows).mean(), "noise of all rows finds fewer"


def test_keeps_the_laws():
    editor = RelabelSlice(certainty=0.6)
    view, *_ = planted(editor, trusted=np.arange(1500) % 20 == 0)
    edit = editor.propose(view)
    assert edit.touched.to_pylist() == editor.choose(view).ids.to_pylist()
    assert (np.diff(editor.choose(view).scores) <= 0).all()
    assert not set(edit.touched.to_pylist()) & {f"r{i}" for i in range(0, 1500, 20)}
    drawn = np.array([5, 77, 1])
    assert editor.propose(view, drawn).touched.to_pylist() == ["r5", "r77", "r1"]


def test_goes_by_confirmed_noise_when_told():
    editor = RelabelSlice(noise="confirmed", certainty=0.5)
    truth_probs = np.tile([0.0, 1.0], (1500, 1))
    view, _, inside = planted(editor, truth_probs=truth_probs)
    edit = editor.propose(view)
    assert edit.n_rows == int((inside & (view.labels == 0)).sum())


def test_refusals():
    editor = RelabelSlice()
    with pytest.raises(NotApplicable, match="the label is a number"):
        editor.propose(view_of(editor, classes=(), numbers=np.zeros(60), labels=np.zeros(60, int)))
    clean, truth, _ = planted(editor)
    with pytest.raises(NotApplicable, match="no label in slice 'spoilt' is contradicted"):
        editor.propose(planted(editor, labels=truth)[0])
    with pytest.raises(NotApplicable, match="a person confirmed every label in slice"):
        editor.propose(planted(editor, trusted=np.ones(1500, bool))[0])
    one = {"one": (clean.labels == 0).astype(float)}
    with pytest.raises(NotApplicable, match="one class only"):
        editor.propose(planted(editor, slices=one)[0])
