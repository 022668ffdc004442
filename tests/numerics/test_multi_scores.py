"""Scores of sets of classes: by hand, against scikit-learn, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tilth.core.errors import InputError
from tilth.numerics.multi_scores import multi_scores


def world(n, k, seed):
    rng = np.random.default_rng(seed)
    truth = rng.random((n, k)) < np.linspace(0.05, 0.5, k)
    probs = np.clip(np.where(truth, 0.75, 0.25) + rng.normal(0, 0.3, (n, k)), 0.01, 0.99)
    return truth, probs


def test_by_hand():
    truth = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    said = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    scores = multi_scores(said, np.where(said, 0.9, 0.1), truth)
    assert scores.accuracy.value == pytest.approx(8 / 9)
    assert scores.micro_f1.value == pytest.approx(2 * 3 / (3 + 4))
    assert scores.macro_f1.value == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert scores.subset_accuracy.value == pytest.approx(2 / 3)
    assert scores.nll.value == pytest.approx(-(8 * np.log(0.9) + np.log(0.1)) / 9)


@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn(seed):
    truth, probs = world(200, 4, seed)
    said = probs >= 0.5
    scores = multi_scores(said, probs, truth)
    assert scores.accuracy.value == pytest.approx(1 - metrics.hamming_loss(truth, said))
    assert scores.micro_f1.value == pytest.approx(metrics.f1_score(truth, said, average="micro"))
    assert scores.macro_f1.value == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert scores.subset_accuracy.value == pytest.approx(metrics.accuracy_score(truth, said))
    assert scores.nll.value == pytest.approx(
        np.mean([metrics.log_loss(truth[:, c], probs[:, c], labels=[False, True]) for c in range(4)])
    )


def test_intervals_cover():
    whole, probs = world(200_000, 4, 9)
    true = multi_scores(probs >= 0.5, probs, whole)
    held = dict.fromkeys(true._fields, 0)
    for seed in range(200):
        truth, drawn = world(150, 4, seed)
        found = multi_scores(drawn >= 0.5, drawn, truth)
        for name in held:
            one = getattr(found, name)
            held[name] += one.low <= getattr(true, name).value <= one.high
    assert all(0.89 <= count / 200 <= 0.99 for count in held.values()), held


def test_nothing_said_and_nothing_true_is_right():
    nothing = np.zeros((4, 2), dtype=bool)
    scores = multi_scores(nothing, np.full((4, 2), 0.2), nothing)
    assert (scores.micro_f1.value, scores.macro_f1.value, scores.subset_accuracy.value) == (1.0, 1.0, 1.0)


def test_no_row_is_refused():
    with pytest.raises(InputError):
        multi_scores(np.zeros((0, 2), dtype=bool), np.zeros((0, 2)), np.zeros((0, 2), dtype=bool))
