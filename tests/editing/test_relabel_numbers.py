"""relabel_numbers: by hand, parity with scipy's robust scale, planted errors, laws, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from tilth.core.errors import NotApplicable
from tilth.editing.relabel_numbers import RelabelNumbers, winsorized
from tilth.testing.views import view_of, world_view
from tilth.testing.worlds import regression_world


def test_winsorized_by_hand():
    numbers = np.array([1.0, -1.0, 1.0, -1.0, 20.0])
    clipped, distance = winsorized(numbers, np.zeros(5), 4.0)
    # median |r| = 1, s = 1.4826: the cut is at 5.9304
    assert clipped == pytest.approx([1, -1, 1, -1, 5.9304])
    assert distance[-1] == pytest.approx(20 / 1.4826)


def test_the_scale_is_the_normal_consistent_median_deviation():
    residuals = np.random.default_rng(0).standard_t(2, size=201)
    _, distance = winsorized(residuals, np.zeros(201), 4.0)
    scale = median_abs_deviation(np.concatenate([residuals, -residuals]), scale="normal")
    assert distance == pytest.approx(np.abs(residuals) / scale, rel=0.02)


def test_exact_predictions_leave_all_labels():
    numbers = np.array([1.0, 2.0, 3.0, 50.0])
    clipped, distance = winsorized(numbers, np.array([1.0, 2.0, 3.0, 4.0]), 4.0)
    assert clipped.tolist() == numbers.tolist()
    assert distance.tolist() == [0, 0, 0, 0]


def test_the_edit_clips_the_extreme_row():
    editor = RelabelNumbers()
    view = view_of(editor, classes=(), numbers=np.array([1.0, -1, 1, -1, 20, 30, 1]), predictions=np.zeros(7))
    edit = editor.propose(view)
    assert edit.touched.to_pylist() == editor.choose(view).ids.to_pylist() == ["r5", "r4"]
    assert edit.set["label"].column("value").to_pylist() == pytest.approx([5.9304, 5.9304])
    assert edit.expects["label"].column("value").to_pylist() == [30, 20]
    placebo = editor.propose(view, np.array([0, 4]))
    assert placebo.set["label"].column("value").to_pylist() == pytest.approx([1, 5.9304])


def test_planted_errors_come_closer_to_the_truth(keeps_the_laws):
    world = regression_world(rows=600, noise="uniform", rate=0.1, seed=2)
    editor = RelabelNumbers()
    view = world_view(editor, world)
    cells = keeps_the_laws(editor, view).set["label"]
    rows = np.array([view.ids.to_pylist().index(name) for name in cells.column("_tilth_id").to_pylist()])
    train = world.mask("train") & world.labelled
    truth, wrong = world.truth[train], world.faults["label_error"][train]
    assert wrong[rows].mean() > 0.95
    assert len(rows) > 0.9 * wrong.sum()
    new = np.asarray(cells.column("value"))
    assert np.abs(new - truth[rows]).mean() < 0.4 * np.abs(view.numbers[rows] - truth[rows]).mean()


def test_strengths_weakest_first():
    assert [editor.cutoff for editor in RelabelNumbers().strengths()] == [6.0, 3.0]


def test_refusals():
    editor = RelabelNumbers()
    five = {"classes": (), "numbers": np.arange(5.0), "predictions": np.arange(5.0) + 1}
    with pytest.raises(NotApplicable, match="no label lies more than 4 robust standard deviations"):
        editor.propose(view_of(editor, **five))
    with pytest.raises(NotApplicable, match="a person confirmed every label"):
        editor.propose(view_of(editor, **five, trusted=np.ones(5, dtype=bool)))
    with pytest.raises(NotApplicable, match="no train row has a label"):
        editor.propose(view_of(editor, **five, labelled=np.zeros(5, dtype=bool)))
    with pytest.raises(NotApplicable, match="the label is a class"):
        editor.propose(view_of(editor, labels=np.array([0, 1])))
