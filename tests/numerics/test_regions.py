"""Regions: clouds found again, the same whatever the order of the rows, and axes that keep distances."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics.regions import centres_of, principal_axes, region_of


def clouds(seed=0):
    rng = np.random.default_rng(seed)
    middles = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]], dtype=float)
    cloud = rng.integers(4, size=400)
    return (middles[cloud] + rng.normal(size=(400, 3))).astype(np.float32), cloud, middles


def test_clouds_are_found_again():
    rows, cloud, middles = clouds()
    centres = centres_of(rows, 4)
    region = region_of(rows, centres)
    assert len({(int(c), int(r)) for c, r in zip(cloud, region, strict=True)}) == 4
    gaps = np.linalg.norm(centres[:, None] - middles, axis=2).min(axis=0)
    assert (gaps < 0.5).all()


def test_the_order_of_rows_changes_nothing():
    rows, _, _ = clouds()
    order = np.random.default_rng(1).permutation(len(rows))
    first, other = (centres_of(each, 8) for each in (rows, rows[order]))
    assert first == pytest.approx(other, abs=1e-4)
    assert (region_of(rows, first)[order] == region_of(rows[order], other)).all()


def test_regions_equal_the_nearest_centre_by_brute_force():
    rows, _, _ = clouds()
    centres = np.random.default_rng(2).normal(size=(5, 3)) * 5
    wanted = np.linalg.norm(rows[:, None] - centres, axis=2).argmin(axis=1)
    assert (region_of(rows, centres) == wanted).all()


def test_rows_that_are_alike_make_one_region():
    assert len(centres_of(np.ones((7, 2), dtype=np.float32), 4)) == 1
    assert len(centres_of(np.ones((1, 2), dtype=np.float32), 3)) == 1


def test_axes_keep_distances_where_they_are_enough():
    rows, _, _ = clouds()
    wide = np.concatenate([rows, np.zeros((400, 4), dtype=np.float32)], axis=1)
    points = principal_axes(wide, 10).of(wide)
    assert points.shape[1] == 3
    assert np.linalg.norm(points[0] - points[1]) == pytest.approx(np.linalg.norm(rows[0] - rows[1]), rel=1e-4)
    assert principal_axes(np.ones((4, 3), dtype=np.float32), 2).of(np.ones((4, 3), dtype=np.float32)).shape == (4, 1)


def test_the_axes_of_most_spread_come_first():
    rows, _, _ = clouds()
    points = principal_axes(rows * np.array([5, 1, 0.1], dtype=np.float32), 2).of(
        rows * np.array([5, 1, 0.1], dtype=np.float32)
    )
    assert points.var(axis=0)[0] > points.var(axis=0)[1]
