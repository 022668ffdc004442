"""Tails and critical values: those of scipy.stats, at the ends too."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tilth.numerics.distributions import binomial_tail, normal_point, normal_tail, student_point, student_tail

RNG = np.random.default_rng(0)
X = np.r_[RNG.normal(0, 5, 4000), -40.0, 40.0, 0.0, np.inf, -np.inf, np.nan]
TAILS = np.r_[RNG.random(3000), 10 ** RNG.uniform(-300, 0, 1000), 0.0, 0.5, 1.0, np.nan, -1.0, 2.0]


def same(found: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(found, wanted, rtol=1e-12, atol=0, equal_nan=True))


def test_by_hand():
    assert float(normal_tail(0.0)) == 0.5
    assert float(student_tail(1.0, 1.0)) == pytest.approx(0.25, abs=1e-12)
    assert float(student_point(0.25, 1.0)) == pytest.approx(1.0, abs=1e-12)
    assert float(binomial_tail(1, 2, 0.5)) == 0.25


def test_normal_is_that_of_scipy():
    assert same(normal_tail(X), stats.norm.sf(X))
    assert same(normal_point(TAILS), stats.norm.isf(TAILS))


@pytest.mark.parametrize("df", [0.3, 1.0, 2.5, 19.0, 1e7, np.inf, 0.0, -1.0])
def test_student_is_that_of_scipy(df):
    assert same(student_tail(X, df), stats.t.sf(X, df))
    assert same(student_point(TAILS, df), stats.t.isf(TAILS, df))


def test_student_takes_a_freedom_for_each():
    df = 10 ** RNG.uniform(-1, 6, len(X))
    assert same(student_tail(X, df), stats.t.sf(X, df))


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.03, 0.5, 0.97, 1.0])
def test_binomial_is_that_of_scipy(p):
    n = np.r_[np.repeat(np.arange(12), 14), RNG.integers(0, 20000, 500)]
    k = np.r_[np.tile(np.arange(-2, 12), 12), RNG.integers(-1, 20001, 500)]
    assert same(binomial_tail(k, n, p), stats.binom.sf(k, n, p))
