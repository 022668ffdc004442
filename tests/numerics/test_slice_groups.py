"""slice_groups: by hand, guesses of planted slices, parity with scikit-learn's balanced weights, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from tilth.core.errors import InputError
from tilth.numerics.slice_groups import by_class, group_balance, spread_slices


def test_by_class_by_hand():
    slices, labels = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1, 0])
    assert by_class(slices, labels, 2).tolist() == [[0, 1, 0, 0], [0.5, 0, 0.5, 0]]


def test_group_balance_by_hand():
    groups = np.array([[1.0, 0], [1, 0], [1, 0], [1, 0], [0, 1]])
    assert group_balance(groups, np.ones(5), 1.0, 100).tolist() == [1, 1, 1, 1, 4]
    assert group_balance(groups, np.ones(5), 0.5, 100).tolist() == [1, 1, 1, 1, 2]
    assert group_balance(groups, np.ones(5), 1.0, 3).tolist() == [1, 1, 1, 1, 3]


def test_group_balance_parity():
    codes = np.random.default_rng(0).integers(5, size=300) ** 2
    groups = (codes[:, None] == np.unique(codes)).astype(float)
    times = group_balance(groups, np.ones(300), 1.0, 1e9)
    ours, theirs = times / times.mean(), compute_sample_weight("balanced", codes)
    assert ours == pytest.approx(theirs / theirs.mean())


def test_guesses_a_planted_slice_from_few():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=900)
    features = (2.5 * np.eye(3, 12)[truth] + rng.standard_normal((900, 12)) * 0.7).astype(np.float32)
    known = np.arange(900) < 60
    slices = np.eye(3)[truth] * known[:, None]
    guessed = spread_slices(features, rng.integers(2, size=900), slices, known)
    assert (guessed[known] == slices[known]).all()
    assert ((guessed > 0).sum(axis=1) == 1).all()
    assert (guessed.argmax(axis=1) == truth)[~known].mean() > 0.95
    sure = guessed.max(axis=1)[~known]
    assert sure.min() >= 1 / 3
    assert abs(sure.mean() - (guessed.argmax(axis=1) == truth)[~known].mean()) < 0.05, "degrees are probabilities"


def test_one_slice_alone_cannot_be_guessed():
    with pytest.raises(InputError, match="fewer than two slices"):
        spread_slices(np.zeros((4, 1), np.float32), np.zeros(4, int), np.eye(4, 2)[[0, 0, 0, 0]], np.ones(4, bool))


def test_rows_among_more_features_are_guessed_as_by_themselves():
    rng = np.random.default_rng(3)
    features = rng.standard_normal((400, 3)).astype(np.float32)
    rows = rng.permutation(400)[:200]
    slices = np.eye(2)[(features[rows, 0] > 0).astype(int)] * (np.arange(200) < 120)[:, None]
    known, labels = slices.max(axis=1) > 0, rng.integers(2, size=200)
    among = spread_slices(features, labels, slices, known, rows)
    assert np.array_equal(among, spread_slices(features[rows], labels, slices, known))
    assert (among[known] == slices[known]).all()
    assert ((among[~known] > 0).sum(axis=1) == 1).all()
