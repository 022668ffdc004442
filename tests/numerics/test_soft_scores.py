"""Soft scores: by hand, exact permutations, calibration under chance, Benjamini-Hochberg by hand."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import hypergeom

from tilth.core.errors import InputError
from tilth.core.estimate import WIDEST
from tilth.numerics.error_budget import benjamini_hochberg
from tilth.numerics.intervals import wilson
from tilth.numerics.soft_scores import chance_of_low, soft_mean


def test_mean_by_hand():
    found = soft_mean(np.array([1.0, 3.0, 9.0]), np.array([1.0, 1.0, 0.0]))
    assert found.value == 2.0
    # two effective rows: variance of the mean = sum (w (s - m))^2 * 2 / 1 = (0.25 + 0.25) * 2
    assert found.standard_error == pytest.approx(1.0)
    assert (found.low, found.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-3)


def test_shares_get_the_score_interval():
    scores = np.array([1.0] * 8 + [0.0] * 2)
    assert soft_mean(scores, np.ones(10)).as_list() == pytest.approx(wilson(8, 10).as_list())
    assert soft_mean(scores, np.full(10, 0.3)).as_list() == pytest.approx(wilson(8, 10).as_list())


def test_one_row_knows_no_spread():
    assert soft_mean(np.array([2.5, 1.0]), np.array([1.0, 0.0])).high == WIDEST
    with pytest.raises(InputError, match="no row"):
        soft_mean(np.ones(2), np.zeros(2))


def test_counts_are_exact():
    scores, members = np.array([0.0] * 30 + [1.0] * 170), np.zeros(200)
    members[:9], members[30:60] = 1.0, 1.0
    assert chance_of_low(scores, members) == pytest.approx(hypergeom.sf(8, 200, 30, 39))


def test_follows_all_permutations():
    """Skewed scores, soft membership: the gamma law's tail is near the share of orders that are as low."""
    scores = np.array([-9.0, -4.0, -1.0, -0.5, 0.0, 0.0, 0.1, 0.2])
    members = np.array([0.9, 0.8, 0.1, 0.0, 0.4, 0.0, 0.2, 0.0])
    sums = np.array([members @ np.array(order) for order in permutations(scores)])
    assert chance_of_low(scores, members) == pytest.approx(float((sums <= members @ scores + 1e-9).mean()), abs=0.03)


def test_says_so_as_often_as_promised_by_chance():
    rng = np.random.default_rng(0)
    members = rng.beta(0.3, 3.0, size=400)
    found = np.array([chance_of_low(-rng.lognormal(sigma=1.0, size=400), members) for _ in range(1_500)])
    assert (found <= 0.05).mean() < 0.065
    assert (found <= 0.005).mean() < 0.010


def test_nothing_to_compare():
    assert chance_of_low(np.ones(9), np.linspace(0, 1, 9)) == 1.0
    assert chance_of_low(np.linspace(0, 1, 9), np.full(9, 0.4)) == 1.0
    assert chance_of_low(np.zeros(0), np.zeros(0)) == 1.0


def test_false_discoveries_by_hand():
    assert benjamini_hochberg(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert benjamini_hochberg(np.zeros(0)).tolist() == []
