"""The neighbours' bound: by hand, and on worlds whose best score is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tilth.core.errors import InputError
from tilth.numerics.neighbour_bound import least_error, mae_bound, share_bound
from tilth.numerics.neighbours import k_nearest


def test_by_hand():
    assert least_error(0.0, 2) == 0.0
    assert least_error(0.5, 2) == pytest.approx(0.5), "neighbours at chance: no model is better"
    assert least_error(0.18, 2) == pytest.approx(0.1), "2 e (1 - e) = 0.18 at e = 0.1"
    assert least_error(0.9, 10) == pytest.approx(0.9)
    with pytest.raises(InputError):
        least_error(1.2, 2)


def test_the_interval_is_that_of_the_rows():
    few, many = share_bound(18, 100, 2), share_bound(1800, 10_000, 2)
    assert few.value == many.value == pytest.approx(0.9)
    assert few.low < many.low < 0.9 < many.high < few.high


def test_planted_classes():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 6000)
    x = rng.normal(size=(6000, 1)) + 2 * labels[:, None]
    partner = labels[k_nearest(x, 1, metric="euclidean", exclude_self=True).positions[:, 0]]
    bound = share_bound(int((partner != labels).sum()), 6000, 2)
    assert norm.cdf(1) - 0.01 < bound.value < norm.cdf(1) + 0.06, "a bound, and not far from the best, 0.841"


def test_planted_numbers():
    rng = np.random.default_rng(1)
    x = rng.uniform(size=(4000, 1))
    y = 3 * x[:, 0] + rng.normal(0, 0.5, 4000)
    partner = y[k_nearest(x, 1, metric="euclidean", exclude_self=True).positions[:, 0]]
    bound = mae_bound(y, partner)
    assert bound.low < -0.5 * np.sqrt(2 / np.pi) < bound.high
