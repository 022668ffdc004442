"""slice_tests: against SciPy, bounds against permutations, what other groups explain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from tilth.numerics.slice_tests import Losses, hypergeometric_tail, stratified_tail


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 50_000), st.floats(0, 1), st.floats(0, 1), st.floats(-0.2, 1))
def test_the_exact_tail_is_scipys(total, marked, drawn, over):
    marked, drawn = round(total * marked), round(total * drawn)
    k = min(max(0, round(drawn * (marked / total + over))), drawn + 1)
    wanted = float(hypergeom.sf(k - 1, total, marked, drawn))
    if wanted > 1e-200:
        assert hypergeometric_tail(k, drawn, marked, total) == pytest.approx(wanted, rel=1e-6)


def test_the_bound_of_real_losses_is_above_the_share_of_permutations():
    rng = np.random.default_rng(0)
    for losses in (rng.gamma(0.3, size=400), rng.random(400), np.round(rng.lognormal(0, 2, 400), 1)):
        test = Losses(losses)
        for n in (20, 150, 390):
            means = np.array([rng.permutation(losses)[:n].mean() for _ in range(1500)])
            for share in (0.1, 0.02):
                assert test._bound(float(np.quantile(means, 1 - share)), n) >= 0.8 * share


def test_p_values_of_slices():
    assert Losses(np.array([1.0, 1, 0, 0])).p_value(np.array([True, True, False, False])) == pytest.approx(1 / 6)
    test = Losses(np.array([2.0, 2, 0, 0]))  # two values: the same exact test
    assert test.p_value(np.array([True, True, False, False])) == pytest.approx(1 / 6)
    for inside in (np.zeros(4, bool), np.ones(4, bool)):
        assert test.p_value(inside) == 1.0
    assert Losses(np.zeros(4)).p_value(np.array([True, False, False, False])) == 1.0
    rng = np.random.default_rng(0)
    losses, inside = rng.gamma(1, size=3000), np.arange(3000) < 200
    losses[inside] *= 1.6
    assert Losses(losses).p_value(inside) < 1e-6
    assert Losses(losses).p_value(~inside) > 0.5


def test_a_group_that_others_explain_is_no_worse_than_its_like():
    rng = np.random.default_rng(0)
    cause, company = rng.random(4000) < 0.3, rng.random(4000)
    follower = np.where(cause, company < 0.8, company < 0.2)
    losses = (rng.random(4000) < np.where(cause, 0.5, 0.1)).astype(float)
    assert Losses(losses).p_value(follower) < 1e-6
    assert stratified_tail(losses, follower, [cause]) > 0.01
    assert stratified_tail(losses, cause, [follower]) < 1e-6
    assert stratified_tail(losses, cause, [cause]) == 1.0


@pytest.mark.parametrize("is_real", [False, True])
def test_a_question_and_the_p_value_agree(is_real):
    rng = np.random.default_rng(1)
    for _ in range(30):
        losses = rng.gamma(0.5, size=500) if is_real else (rng.random(500) < 0.2).astype(float)
        inside = rng.random(500) < 0.2
        losses[inside] *= 1.5 if is_real else 1.0
        test = Losses(losses)
        for tail in (0.3, 0.01, 1e-4):
            assert test.is_worse(inside, tail) == (test.p_value(inside) <= tail)
