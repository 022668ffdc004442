"""oversampling: by hand, and what Chawla's and Han's papers say of their rows."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics import oversampling
from tilth.numerics.oversampling import between, in_danger, near_in_class, voted


def test_near_rows_are_of_the_class_and_short_classes_repeat_the_farthest():
    x = np.array([[0.0], [1.0], [3.0], [0.1], [0.2]], np.float32)
    labels = np.array([0, 0, 0, 1, 1])
    assert near_in_class(x, labels, np.array([0, 2, 3]), 3).tolist() == [[1, 2, 2], [1, 0, 0], [4, 4, 4]]
    with pytest.raises(InputError, match="has one row"):
        near_in_class(x, np.array([0, 0, 0, 0, 1]), np.array([4]), 2)


def test_near_rows_equal_brute_force():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(80, 4)).astype(np.float32), rng.integers(3, size=80)
    found = near_in_class(x, labels, np.arange(80), 4)
    for row in range(80):
        others = np.flatnonzero((labels == labels[row]) & (np.arange(80) != row))
        far = ((x[others].astype(float) - x[row]) ** 2).sum(axis=1)
        assert found[row].tolist() == others[np.argsort(far, kind="stable")][:4].tolist()


def test_among_very_many_rows_near_ones_are_of_a_part_of_them(monkeypatch):
    monkeypatch.setattr(oversampling, "MOST_AMONG", 50)
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(600, 2)).astype(np.float32), np.arange(600) % 2
    found = near_in_class(x, labels, np.arange(600), 4)
    assert (labels[found] == labels[:, None]).all()
    assert (found != np.arange(600)[:, None]).all()
    assert len(np.unique(found[labels == 0])) == len(np.unique(found[labels == 1])) == 50
    for row in (3, 400):
        looked_at = np.setdiff1d(np.unique(found[labels == labels[row]]), [row])
        far = ((x[looked_at].astype(float) - x[row]) ** 2).sum(axis=1)
        assert found[row].tolist() == looked_at[np.argsort(far, kind="stable")][:4].tolist()


def test_danger_among_very_many_rows(monkeypatch):
    """Where classes are mixed evenly every other row is in danger, where a class stands alone none is."""
    monkeypatch.setattr(oversampling, "MOST_AMONG", 100)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1_000, 2)).astype(np.float32)
    labels = rng.integers(2, size=1_000)
    x[labels == 1, 0] += 40 * (np.arange(1_000)[labels == 1] % 2)  # half of the second class stands alone
    alone = np.flatnonzero(x[:, 0] > 20)
    mixed = np.flatnonzero((labels == 1) & (x[:, 0] < 20))
    assert not in_danger(x, labels, alone).any()
    assert in_danger(x, labels, mixed).mean() > 0.8


def test_points_stand_between_and_keep_missing_cells():
    first, second = np.array([[0.0, np.nan, 2.0]]), np.array([[4.0, 1.0, np.nan]])
    np.testing.assert_array_equal(between(first, second, np.array([0.25])), [[1.0, np.nan, 2.0]])


def test_danger_by_hand():
    x = np.array([[0.0], [0.1], [1.0], [1.1], [1.2], [9.0], [9.1], [9.2], [9.3]], np.float32)
    labels = np.array([0, 0, 0, 1, 1, 0, 1, 1, 1])
    # row 0: one of three others; row 2: two of three; row 5: all three, noise
    assert in_danger(x, labels, np.array([0, 2, 5]), m=3).tolist() == [False, True, False]


def test_votes_by_hand():
    codes = np.array([2, 1, 1, 0, -1])
    assert voted(codes, np.array([0]), np.array([[1, 2, 3]])).tolist() == [1]
    assert voted(codes, np.array([0]), np.array([[1, 3, 4]])).tolist() == [2], "none is commoner than the row's own"
    assert voted(codes, np.array([4]), np.array([[1, 2, 3]])).tolist() == [-1], "what is missing stays missing"
