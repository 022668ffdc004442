"""Evidence learnt apart: a fold's labels are in nothing that is shown for it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world, world_of

from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID, Split
from tilth.editing.relabel_slice import RelabelSlice
from tilth.editing.relabel_soft import RelabelSoft
from tilth.loop.apart import Apart
from tilth.loop.bench import Bench

EDITOR = RelabelSoft(noise="confirmed")
FOLDS = np.arange(240) % 3


@pytest.fixture(scope="module")
def world():
    return gaussian_world(n_train=240, n_dev=20, n_test=10, noise=0.25, seed=2)


def apart_of(world, folds=FOLDS):
    return Apart(bench=world.bench, rows=np.arange(len(folds)), folds=folds)


def shown(world, fold, folds=FOLDS):
    return apart_of(world, folds).view(world.evidence.view(EDITOR), EDITOR.needs, fold)


def with_other_labels(world, rows):
    """The world with the labels of some train rows turned around."""
    table = world.dataset.read()
    labels = np.asarray(table.column("label").to_pylist(), dtype=object)
    turned = dict(zip(world.dataset.schema.task.classes, reversed(world.dataset.schema.task.classes), strict=True))
    labels[rows] = [turned[label] for label in labels[rows]]
    at = table.column_names.index("label")
    table = table.set_column(at, "label", pa.array(labels, pa.string()))
    return world_of(table, world.dataset.schema, world.truth, seed=world.bench.seed)


def test_a_view_shows_the_rows_outside_the_fold_as_they_are(world):
    view, whole = shown(world, 1), world.evidence.view(EDITOR)
    inside = np.flatnonzero(FOLDS != 1)
    assert view.ids.to_pylist() == world.bench.train.column(ROW_ID).take(pa.array(inside)).to_pylist()
    assert np.array_equal(view.labels, whole.labels[inside])
    assert np.array_equal(view.trusted, whole.trusted[inside])
    assert np.allclose(view.pred_probs.sum(axis=1), 1)
    assert np.allclose(view.truth_probs.sum(axis=1), 1)


def test_labels_of_the_fold_move_no_prediction(world):
    """Predictions of whole train see them; predictions apart do not."""
    other = with_other_labels(world, np.flatnonzero(FOLDS == 0))
    inside = FOLDS != 0
    whole = [w.evidence.view(EDITOR).pred_probs[inside] for w in (world, other)]
    assert np.abs(whole[0] - whole[1]).max() > 0.1
    assert np.allclose(shown(world, 0).pred_probs, shown(other, 0).pred_probs, atol=1e-5)


def _predicted_by_pairs(world, *, halved=False):
    apart = apart_of(world)
    return apart._by_pairs(partial(apart._fitted, halved=halved))[0]


def test_models_of_half_learn_from_half(world, monkeypatch):
    sizes, fit_train = [], Bench.fit_train
    monkeypatch.setattr(
        Bench, "fit_train", lambda self, train, **more: _noted(sizes, train, fit_train(self, train, **more))
    )
    whole, half = (_predicted_by_pairs(world, halved=halved) for halved in (False, True))
    assert sizes[-6:] == [80, 80, 80, 40, 40, 40]
    assert np.abs(whole - half)[FOLDS != 0].max() > 0.01


def _noted(sizes, train, model):
    sizes.append(train.num_rows)
    return model


def test_a_row_is_predicted_without_its_own_label(world):
    row = int(np.flatnonzero(FOLDS == 1)[0])
    at = int(np.flatnonzero(np.flatnonzero(FOLDS != 0) == row)[0])
    other = with_other_labels(world, [row])
    before, after = (_predicted_by_pairs(w)[row] for w in (world, other))
    assert np.allclose(before, after, atol=1e-5)
    assert shown(world, 0).labels[at] != shown(other, 0).labels[at]


def test_without_noise_the_truth_is_the_label():
    clean = gaussian_world(n_train=240, n_dev=20, n_test=10, noise=0.0, seed=4)
    view = shown(clean, 2)
    assert np.array_equal(view.truth_probs, np.eye(view.n_classes)[view.labels])


def test_what_cannot_be_cut_is_not_served(world):
    assert Apart.serves(EDITOR.needs)
    assert not Apart.serves(frozenset({"labels", "findings"}))
    assert not Apart.serves(frozenset({"labels", "pred_probs", "neighbours"}))
    with pytest.raises(NotApplicable, match="too few labelled rows"):
        _ = shown(world, 0, FOLDS % 2).pred_probs
    assert len(world.rows(Split.TRAIN)) == 240


def test_slices_are_cut_to_the_rows_outside_the_fold(world):
    """An editor that mends a slice is made anew for each fold too: its forecast does not see the labels that score it."""
    editor = RelabelSlice(slice="half")
    half = np.arange(world.dataset.n_rows) % 2 == 0
    world.evidence.sliced = lambda: {"half": half.astype(float)}
    view = world.evidence.view(editor)
    rows = np.arange(len(view))
    apart = Apart(bench=world.bench, rows=rows, folds=rows % 3)
    assert Apart.serves(editor.needs)
    shown = apart.view(view, editor.needs, 1)
    at = [int(row[1:]) for row in shown.ids.to_pylist()]
    assert shown.slices["half"].tolist() == half[at].tolist()
