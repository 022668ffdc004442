"""Scores of labels by hand and against scikit-learn; intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss

from tilth.core.errors import InputError
from tilth.numerics.label_scores import binary_f1, label_scores, macro_f1


def test_by_hand():
    labels, truth = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1])
    probs = np.array([[0.2, 0.8], [0.4, 0.6], [0.9, 0.1], [0.7, 0.3]])
    scores = label_scores(labels, probs, truth)
    assert scores.accuracy.value == 0.5
    assert scores.f1.value == pytest.approx(0.5)
    assert scores.nll.value == pytest.approx(-np.log([0.8, 0.4, 0.9, 0.3]).mean())


@pytest.mark.parametrize("k", [2, 3, 6])
def test_parity_with_scikit_learn(k):
    rng = np.random.default_rng(k)
    truth, labels = rng.integers(0, k, 200), rng.integers(0, k, 200)
    probs = rng.dirichlet(np.ones(k), 200)
    scores = label_scores(labels, probs, truth)
    average = "binary" if k == 2 else "macro"
    assert scores.f1.value == pytest.approx(f1_score(truth, labels, average=average))
    assert scores.nll.value == pytest.approx(log_loss(truth, probs, labels=range(k)))


def test_a_sure_mistake_is_dear_but_finite():
    scores = label_scores(np.array([0]), np.array([[1.0, 0.0]]), np.array([1]))
    assert scores.nll.value == pytest.approx(-np.log(1e-12))


def test_classes_that_are_neither_said_nor_true_do_not_count():
    assert macro_f1(np.array([0, 1]), np.array([0, 1]), 5).value == 1.0
    assert binary_f1(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool)).as_list() == [0.0, 1.0]


def test_no_row_is_refused():
    with pytest.raises(InputError):
        label_scores(np.zeros(0, dtype=int), np.zeros((0, 2)), np.zeros(0, dtype=int))


@pytest.mark.parametrize("k", [2, 4])
def test_intervals_of_f1_cover(k):
    rng = np.random.default_rng(k)

    def draw(n):
        truth = rng.choice(k, n, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())
        return np.where(rng.random(n) < 0.75, truth, rng.integers(0, k, n)), truth

    def f1(labels, truth):
        return binary_f1(labels == 1, truth == 1) if k == 2 else macro_f1(labels, truth, k)

    true = f1(*draw(400_000)).value
    found = [f1(*draw(150)) for _ in range(300)]
    assert 0.91 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.99
