"""Realism, drift, diversity and flips by hand; the discriminator finds what is planted, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics.linearised import interval_of
from tilth.numerics.transform_measures import (
    confident_flips,
    draw_distances,
    fold_auroc,
    label_drift,
    nearest_distance,
    number_drift,
    quadratic_scores,
)


def told(real, made, seed=0):
    """AUROC, with its interval, of made against real rows."""
    features = np.concatenate([real, made])
    is_made = np.arange(len(features)) >= len(real)
    folds = np.random.default_rng(seed).integers(0, 5, len(features))
    return interval_of(fold_auroc(is_made, quadratic_scores(features, is_made, folds), folds))


def test_rows_of_one_kind_cannot_be_told():
    inside = 0
    for seed in range(20):
        rng = np.random.default_rng([1, seed])
        found = told(rng.normal(size=(150, 8)), rng.normal(size=(150, 8)), seed)
        inside += found.low <= 0.5 <= found.high
    assert inside >= 17, "95 % intervals hold 0.5 nearly always"


def test_a_shift_and_a_wider_spread_are_told():
    rng = np.random.default_rng(2)
    real = rng.normal(size=(200, 5))
    assert told(real, rng.normal(size=(200, 5)) + np.array([3, 0, 0, 0, 0])).low > 0.9
    assert told(real, 2.5 * rng.normal(size=(200, 5))).low > 0.8, "squares tell what means do not"


def test_auroc_is_the_mean_over_folds_and_folds_are_not_compared():
    made = np.array([True, False, True, False, False, True, True])
    scores = np.array([2.0, 1.0, 0.5, 100.0, 100.0, 200.0, 50.0])
    folds = np.array([0, 0, 0, 1, 1, 1, 1])
    first, second = (1 + 0) / 2, (2 + 0) / 4
    assert fold_auroc(made, scores, folds).value == pytest.approx((first + second) / 2)
    assert len(fold_auroc(made, scores, np.array([0, 0, 0, 1, 1, 2, 2]))) == 3, "a fold of one kind is left out"
    with pytest.raises(NotApplicable):
        fold_auroc(made, scores, np.arange(7))


def test_the_discriminator_needs_both_kinds_in_other_folds():
    with pytest.raises(NotApplicable, match="too few rows"):
        quadratic_scores(np.zeros((4, 1)), np.array([True, True, False, False]), np.array([0, 0, 1, 1]))


def test_constant_features_are_borne():
    made = np.arange(8) % 2 == 0
    assert np.ptp(quadratic_scores(np.ones((8, 2)), made, np.arange(8) // 4)) < 1e-6


def test_drift_by_hand():
    before = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    after = np.array([[0.2, 0.8], [0.7, 0.3], [0.6, 0.4], [0.1, 0.9]])
    assert label_drift(np.array([0, 0, 0, 1]), before, after).tolist() == [1, 0, -1, 0]
    assert number_drift(np.array([0.0, 2.0]), np.array([1.0, 2.0]), np.array([3.0, 1.0]), 0.5).tolist() == [4, 2]
    with pytest.raises(InputError):
        number_drift(np.zeros(1), np.zeros(1), np.zeros(1), 0.0)


def test_the_surest_flips_come_first_and_rows_that_were_wrong_before_do_not_count():
    before = np.array([[0.9, 0.1], [0.6, 0.4], [0.95, 0.05], [0.1, 0.9]])
    after = np.array([[0.45, 0.55], [0.1, 0.9], [0.2, 0.8], [0.9, 0.1]])
    assert confident_flips(np.array([0, 0, 0, 0]), before, after, 5).tolist() == [2, 1, 0]
    assert confident_flips(np.array([0, 0, 0, 0]), before, after, 1).tolist() == [2]
    assert confident_flips(np.array([0]), before[:1], before[:1], 5).tolist() == []


def test_the_unit_is_the_distance_to_the_nearest_row():
    assert nearest_distance(np.array([[0.0], [1.0], [3.0], [13.0]], np.float32)) == pytest.approx(1.5)
    copies = np.array([[0.0], [0.0], [0.0], [4.0]], np.float32)
    assert nearest_distance(copies) == 4.0, "copies have no distance: those that have one count"
    with pytest.raises(NotApplicable, match="copies"):
        nearest_distance(np.zeros((3, 2), np.float32))
    with pytest.raises(NotApplicable, match="fewer than two"):
        nearest_distance(np.zeros((1, 2), np.float32))
    one, other = np.array([[1.0, 1.0], [0.0, 0.0]], np.float32), np.array([[1.0, 1.0], [0.0, 3.0]], np.float32)
    assert draw_distances(one, other, 1.5).tolist() == [0, 2]


def test_the_interval_minds_that_folds_share_their_rows():
    values, widths = [], []
    for seed in range(40):
        rng = np.random.default_rng([9, seed])
        found = told(rng.normal(size=(100, 6)), rng.normal(size=(100, 6)), seed)
        values.append(found.value)
        widths.append((found.high - found.low) / 2)
    assert np.mean(widths) > 1.7 * np.std(values)
