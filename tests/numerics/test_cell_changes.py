"""Changes of table cells: distributions beside what they promise."""

from __future__ import annotations

import numpy as np

from tilth.numerics.cell_changes import atom_of, drawn_otherwise, moved, normals, spread_of


def test_another_category_by_the_shares_of_the_others():
    rng = np.random.default_rng(0)
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    for own in range(4):
        drawn = drawn_otherwise(np.full(20_000, own), shares, rng.random(20_000))
        expected = np.where(np.arange(4) == own, 0, shares) / (1 - shares[own])
        assert np.abs(np.bincount(drawn, minlength=4) / 20_000 - expected).max() < 0.012
    unseen = drawn_otherwise(np.full(20_000, -1), shares, rng.random(20_000))
    assert np.abs(np.bincount(unseen, minlength=4) / 20_000 - shares).max() < 0.012
    assert drawn_otherwise(np.array([0]), np.array([1.0]), np.array([0.9])).tolist() == [0]


def test_normal_numbers():
    numbers = normals((np.arange(10_000) + 0.5) / 10_000)
    assert abs(numbers.mean()) < 1e-9
    assert abs(numbers.std() - 1) < 1e-3
    assert np.isfinite(normals(np.array([0.0, 1.0]))).all()


def test_spread_and_atom():
    values = np.random.default_rng(0).normal(5, 3, 20_000)
    assert abs(spread_of(values) - 3) < 0.1
    assert spread_of(np.append(values, 1e9)) < 3.2, "one wild value says nothing"
    assert spread_of(np.array([])) == 0
    assert atom_of(np.append(np.zeros(80), np.arange(20.0))) == 0
    assert atom_of(values) is None
    assert atom_of(np.zeros(3)) is None, "too few to tell"


def test_moved_stays_in_the_range_unless_it_was_outside():
    after = moved(np.array([0.5, 9.5, 20.5]), np.array([-3.0, 3.0, 3.0]), 0.0, 10.0)
    assert after.tolist() == [0.0, 10.0, 20.5]
    assert moved(np.array([]), np.array([]), 0.0, 1.0).tolist() == []
