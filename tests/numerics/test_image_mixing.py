"""Mixtures of images and borrowed styles, by hand and beside NumPy written out."""

from __future__ import annotations

import numpy as np

from tilth.numerics.image_mixing import channel_statistics, mixup, restyle

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.integers(0, 256, (2, 4, 20, 30, 3), dtype=np.uint8)


def test_mixup_is_the_weighted_mean():
    shares = np.array([0.0, 0.3, 0.5, 1.0])
    weights = shares[:, None, None, None]
    mixed = mixup(FIRST, SECOND, shares)
    assert np.abs(mixed - (weights * FIRST + (1 - weights) * SECOND)).max() <= 0.501
    assert np.array_equal(mixed[0], SECOND[0])
    assert np.array_equal(mixed[3], FIRST[3])
    assert mixup(FIRST[:0], SECOND[:0], shares[:0]).shape == (0, 20, 30, 3)


def test_statistics_are_numpys():
    means, spreads = channel_statistics(FIRST)
    assert np.allclose(means, FIRST.mean(axis=(1, 2)))
    assert np.allclose(spreads, FIRST.std(axis=(1, 2)))


def test_a_style_is_taken_on():
    narrow = RNG.integers(60, 190, (4, 20, 30, 3), dtype=np.uint8)
    mean, spread = np.array([100.0, 120.0, 140.0]), np.array([20.0, 30.0, 35.0])
    found = channel_statistics(restyle(narrow, mean, spread))
    assert np.abs(found[0] - mean).max() < 0.2
    assert np.abs(found[1] - spread).max() < 0.2
    other = channel_statistics(SECOND)
    each = restyle(FIRST, *other)
    formula = (FIRST - FIRST.mean(axis=(1, 2), keepdims=True)) / FIRST.std(axis=(1, 2), keepdims=True)
    wanted = np.clip(formula * other[1][:, None, None] + other[0][:, None, None], 0, 255)
    assert np.abs(each - wanted).max() <= 0.5 + 1e-9


def test_its_own_style_changes_nothing_and_one_value_becomes_the_mean():
    assert np.array_equal(restyle(FIRST, *channel_statistics(FIRST)), FIRST)
    flat = np.full((1, 5, 5, 3), 9, dtype=np.uint8)
    assert (restyle(flat, np.array([50.0, 60.0, 300.0]), np.ones(3)) == np.array([50, 60, 255])).all()
