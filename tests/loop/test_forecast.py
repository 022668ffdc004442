"""Forecasts: labels that score a proposal had no part in it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world, lying

from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.editing.balance_classes import BalanceClasses
from tilth.editing.relabel_soft import RelabelSoft
from tilth.loop.forecast import screening_of


@pytest.fixture(scope="module")
def world():
    return gaussian_world(n_train=300, n_dev=20, n_test=10, noise=0.25, seed=1)


def forecast(world, editor, edit=None):
    view = world.evidence.view(editor)
    return screening_of(world.bench).forecast(editor.propose(view) if edit is None else edit, editor, view)


def memorising(view, rows):
    """Drops what its predictions doubt: made of all labels, unless it is asked again without some."""
    doubted = view.pred_probs[np.arange(len(view)), view.labels] < 0.5
    return Edit.removing(view.take_ids(doubted), operator=view.spec, reason="so it is")


def test_an_editor_proposes_anew_for_each_fold_from_the_other_folds(world):
    seen = []

    def rule(view, rows):
        seen.append(view)
        return memorising(view, rows)

    editor = lying("remember what was seen", rule)
    forecast(world, editor, memorising(world.evidence.view(editor), None))
    sizes = [len(view) for view in seen]
    assert len(sizes) == 5
    assert sum(300 - n for n in sizes) == 300
    held_out = [set(world.bench.train.column("_tilth_id").to_pylist()) - set(v.ids.to_pylist()) for v in seen]
    assert len(set.union(*held_out)) == 300


def test_an_editor_that_refuses_without_a_fold_gains_nothing_there(world):
    def rule(view, rows):
        raise NotApplicable("not with so few rows")

    editor = lying("refuse", rule)
    assert forecast(world, editor, memorising(world.evidence.view(editor), None)) == 0.0


def test_an_edit_that_was_not_learnt_from_predictions_is_scored_as_it_is(world, monkeypatch):
    editor = BalanceClasses(least_ratio=1.0)
    edit = editor.propose(world.evidence.view(editor))
    monkeypatch.setattr(BalanceClasses, "propose", lambda *_: pytest.fail("it need not propose anew"))
    assert np.isfinite(forecast(world, editor, edit))


def test_true_cures_are_forecast_to_gain_and_harm_to_lose(world):
    wrong = np.flatnonzero(world.bench.labels(world.bench.train)[0] != world.truth[:300])
    right = np.setdiff1d(np.arange(300), wrong)
    ids = world.bench.train.column("_tilth_id").combine_chunks()
    editor = BalanceClasses()
    view = world.evidence.view(editor)

    def dropping(rows):
        return Edit.removing(ids.take(pa.array(rows)), operator=view.spec, reason="so it is")

    screening = screening_of(world.bench)
    cure, harm = (screening.forecast(dropping(rows), editor, view) for rows in (wrong, right[: len(right) * 9 // 10]))
    assert cure > 0 > harm


def test_what_was_made_of_all_labels_is_not_praised_by_them():
    """On clean overlapping classes softening gains nothing; scored as it was proposed it seemed to."""
    forecasts, praised = [], []
    for seed in range(6):
        world = gaussian_world(n_train=200, n_dev=20, n_test=10, noise=0.0, seed=seed)
        editor = RelabelSoft(least_doubt=0.0)
        edit = editor.propose(world.evidence.view(editor))
        forecasts.append(forecast(world, editor, edit))
        praised.append(forecast(world, BalanceClasses(), edit))
    assert np.mean(forecasts) < np.mean(praised)
    assert np.mean(forecasts) < 0.01


def test_neighbours_within_the_fold_have_half_of_a_labels_say(world):
    screening = screening_of(world.bench)
    rows, labels = screening.apart.rows, world.bench.labels(world.bench.train)[0]
    for fold in screening.folds:
        own = labels[rows[screening.apart.folds == fold.number]]
        x = world.bench.features[fold.positions].astype(np.float64)
        distances = ((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)
        np.fill_diagonal(distances, np.inf)
        nearest = np.argsort(distances, axis=1)[:, :20]
        assert np.array_equal(fold.labels[0], own)
        assert np.array_equal(np.sort(fold.labels[1:], axis=0), np.sort(own[nearest].T, axis=0))
        assert fold.shares.tolist() == [0.5] + [0.025] * 20


def test_too_few_rows_are_forecast_to_gain_nothing():
    world = gaussian_world(n_train=1, n_dev=20, n_test=10, seed=0)
    screening = screening_of(world.bench)
    assert screening.forecast(None, None, None) == 0.0
