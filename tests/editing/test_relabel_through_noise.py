"""Relabelling through the noise: forward correction as soft targets."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import TARGET
from tilth.editing.relabel_through_noise import RelabelThroughNoise, explained
from tilth.numerics import softmax_regression
from tilth.testing.views import view_of

K = 3


def noisy(n=600, rate=0.3, seed=0, shift=1.5):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, K, n)
    x = rng.normal(size=(n, 6)) + shift * np.eye(K, 6)[truth]
    labels = np.where(rng.random(n) < rate, (truth + 1) % K, truth)
    return (x / np.sqrt((x**2).sum(axis=1).mean())).astype(np.float32), truth, labels


def transition(rate=0.3):
    return (1 - rate) * np.eye(K) + rate * np.roll(np.eye(K), 1, axis=1)


def fitted(features, targets, penalty, through=None):
    n = len(features)
    design = softmax_regression.prepare(features, penalty / n)
    projected = design.project(features)
    found = softmax_regression.fit(projected, targets, np.ones(n), design, transition=through)
    return softmax_regression.predict_proba(projected, found)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 5.0])
def test_training_on_its_targets_is_forward_correction(penalty):
    x, _, labels = noisy()
    forward = fitted(x, np.eye(K)[labels], penalty, transition())
    targets = explained(x, labels, transition(), penalty)
    assert targets.sum(axis=1) == pytest.approx(np.ones(len(x)))
    assert np.abs(fitted(x, targets, penalty) - forward).max() < 1e-4


def view(editor, seed=0, **changes):
    x, truth, labels = noisy(seed=seed)
    probs = fitted(x, np.eye(K)[labels], 1.0)
    return truth, view_of(editor, embeddings=x, labels=labels, pred_probs=probs, classes=("a", "b", "c"), **changes)


def test_planted_noise_is_undone_for_the_most_part():
    editor = RelabelThroughNoise()
    truth, seen = view(editor)
    edit = editor.propose(seen)
    cells = {row["_tilth_id"]: row["value"] for row in edit.set[TARGET].to_pylist()}
    best = np.array([np.argmax(cells.get(f"r{i}", np.eye(K)[seen.labels[i]])) for i in range(len(truth))])
    assert (best == truth).mean() > (seen.labels == truth).mean() + 0.08
    assert set(editor.choose(seen).ids.to_pylist()) == set(cells)


def test_rows_that_people_confirmed_keep_their_label_and_given_rows_get_its_rule():
    editor = RelabelThroughNoise()
    trusted = np.arange(600) % 3 == 0
    _, seen = view(editor, trusted=trusted)
    touched = {int(row[1:]) for row in editor.propose(seen).touched.to_pylist()}
    assert touched
    assert not touched & set(np.flatnonzero(trusted).tolist())
    assert editor.propose(seen, np.array([1, 2])).touched.to_pylist() == ["r1", "r2"]


def test_it_fits_once_for_all_proposals_on_a_view(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "tilth.editing.relabel_through_noise.explained", lambda *given: calls.append(1) or explained(*given)
    )
    editor = RelabelThroughNoise()
    _, seen = view(editor)
    for rows in (None, np.array([0, 1]), np.array([2])):
        editor.propose(seen, rows)
    assert len(calls) == 1


def test_without_noise_it_refuses():
    x, truth, _ = noisy(shift=30.0)
    editor = RelabelThroughNoise()
    clean = view_of(
        editor, embeddings=x, labels=truth, pred_probs=np.eye(K)[truth] * 0.97 + 0.01, classes=("a", "b", "c")
    )
    with pytest.raises(NotApplicable):
        editor.propose(clean)


def test_numbers_are_refused():
    editor = RelabelThroughNoise()
    with pytest.raises(NotApplicable, match="number"):
        editor.propose(view_of(editor, classes=(), embeddings=np.zeros((3, 2), np.float32), numbers=np.arange(3.0)))
