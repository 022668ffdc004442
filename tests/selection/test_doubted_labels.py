"""doubted_labels: by hand, brute force, planted errors first, budgets, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import NotApplicable
from tilth.selection.doubted_labels import DoubtedLabels, worth_of_answers
from tilth.testing.views import view_of, world_view
from tilth.testing.worlds import classification_world

PROBS = np.array([[0.9, 0.1], [0.3, 0.7], [0.05, 0.95], [0.4, 0.6], [0.5, 0.5]])
LABELS = np.array([0, 0, 0, 1, 0])


def test_worth_by_hand():
    truth = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    probs = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    found = worth_of_answers(np.array([0, 0, 0]), truth, probs)
    assert found == pytest.approx([0.1, 0.8, 0.0])  # probably right; wrong and undecided; the model is sure


@given(st.integers(2, 6), st.integers(0, 1000))
def test_worth_is_a_share_that_rises_with_both_doubts(k, seed):
    rng = np.random.default_rng(seed)
    probs, truth, labels = rng.dirichlet(np.ones(k), 7), rng.dirichlet(np.ones(k), 7), rng.integers(k, size=7)
    found = worth_of_answers(labels, truth, probs)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found <= 1 - truth[np.arange(7), labels] + 1e-12).all()
    undecided = worth_of_answers(labels, truth, np.full((7, k), 1 / k))
    assert undecided == pytest.approx(1 - truth[np.arange(7), labels])


def test_chooses_doubted_rows_most_worth_first():
    selector = DoubtedLabels()
    chosen = selector.select(view_of(selector, labels=LABELS, pred_probs=PROBS), 10)
    assert chosen.ids.to_pylist()[0] == "r1"  # p = .7 for the other class; r2 with .95 is sure, so that less changes
    assert "r0" not in chosen.ids.to_pylist()
    assert (np.diff(chosen.scores) <= 0).all()


def test_confirmed_and_unlabelled_rows_are_not_asked_about():
    selector = DoubtedLabels()
    trusted, labelled = np.arange(5) == 2, np.arange(5) != 1
    view = view_of(selector, labels=LABELS, pred_probs=PROBS, trusted=trusted, labelled=labelled)
    assert not {"r1", "r2"} & set(selector.select(view, 10).ids.to_pylist())
    assert {"r1", "r2"} <= set(selector.select(view_of(selector, labels=LABELS, pred_probs=PROBS), 10).ids.to_pylist())


@pytest.mark.parametrize("budget", [0, 1, 7, 10_000])
def test_planted_errors_come_first_within_the_budget(budget):
    world = classification_world(rows=600, noise="uniform", rate=0.2, seed=0)
    selector = DoubtedLabels()
    ids = selector.select(world_view(selector, world), budget).ids.to_pylist()
    assert len(ids) == len(set(ids)) <= budget
    wrong = set(world.ids.filter(pa.array(world.faults["label_error"])).to_pylist())
    assert len(wrong & set(ids)) >= 0.9 * min(budget, len(ids))


def test_numbers_with_the_largest_residuals():
    selector = DoubtedLabels()
    numbers, predictions = np.array([1.0, 5.0, -3.0, 0.0]), np.array([1.5, 1.0, 2.0, 0.0])
    view = view_of(selector, classes=(), numbers=numbers, predictions=predictions, labelled=np.arange(4) < 3)
    chosen = selector.select(view, 2)
    assert chosen.ids.to_pylist() == ["r2", "r1"]
    assert chosen.scores.tolist() == [5.0, 4.0]


def test_one_class_is_refused():
    selector = DoubtedLabels()
    view = view_of(selector, classes=("only",), labels=np.zeros(3, int), pred_probs=np.ones((3, 1)))
    with pytest.raises(NotApplicable, match="there is one class only"):
        selector.select(view, 2)
