"""doubted_labels: by hand, brute force, planted errors first, budgets, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import NotApplicable
from tilth.selection.doubted_labels import DoubtedLabels, label_margin
from tilth.testing.views import view_of, world_view
from tilth.testing.worlds import classification_world

PROBS = np.array([[0.9, 0.1], [0.3, 0.7], [0.05, 0.95], [0.4, 0.6], [0.5, 0.5]])
LABELS = np.array([0, 0, 0, 1, 0])


def test_margin_by_hand():
    assert label_margin(LABELS, PROBS).tolist() == pytest.approx([-0.8, 0.4, 0.9, -0.2, 0.0])


@given(st.integers(2, 6), st.integers(0, 1000))
def test_margin_is_the_brute_force_margin(k, seed):
    rng = np.random.default_rng(seed)
    probs, labels = rng.dirichlet(np.ones(k), 7), rng.integers(k, size=7)
    best = [max(p for c, p in enumerate(row) if c != label) for row, label in zip(probs, labels, strict=True)]
    margin = label_margin(labels, probs)
    assert margin == pytest.approx(np.array(best) - probs[np.arange(7), labels])
    assert (np.abs(margin) <= 1).all()


def test_chooses_contradicted_rows_most_doubted_first():
    selector = DoubtedLabels()
    chosen = selector.select(view_of(selector, labels=LABELS, pred_probs=PROBS), 10)
    assert chosen.ids.to_pylist() == ["r2", "r1"]
    assert chosen.scores == pytest.approx([0.9, 0.4])


def test_confirmed_and_unlabelled_rows_are_not_asked_about():
    selector = DoubtedLabels()
    trusted, labelled = np.arange(5) == 2, np.arange(5) != 1
    view = view_of(selector, labels=LABELS, pred_probs=PROBS, trusted=trusted, labelled=labelled)
    assert len(selector.select(view, 10)) == 0


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
