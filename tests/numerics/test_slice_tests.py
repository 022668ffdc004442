"""slice_tests: against SciPy, bounds against permutations, q-values by hand and under the null."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from tilth.core.errors import InputError
from tilth.numerics.slice_tests import Losses, harmonic, hypergeometric_tail, selected_q, selected_tail


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


def test_q_values_by_hand():
    q = selected_q(np.array([0.002, 0.0001, 0.9]), np.array([0.5, 0.1, 0.5]), 3)
    assert q == pytest.approx([0.004 * harmonic(3) / 2, 0.001 * harmonic(3), 1.0])
    assert selected_q(np.zeros(0), np.zeros(0), 5).tolist() == []
    with pytest.raises(InputError):
        selected_q(np.ones(3), np.ones(3), 2)
    assert selected_tail(0.95, 2, 0.1, 10) == pytest.approx(0.05 * 0.1 * 2 / harmonic(10))


def test_a_choice_that_looked_at_the_data_keeps_its_promise():
    """400 groups of which 20 are bad and excluded from one another; the choice takes what is most extreme."""
    rng = np.random.default_rng(0)
    false_shares = []
    for _ in range(300):
        z = rng.normal(size=400) - rng.normal() * 0.7
        z[:20] += 4.5
        p = np.exp(-(np.clip(z, 0, None) ** 2) / 2)
        picked = np.argsort(p)[:10]
        q = selected_q(p[picked], np.full(10, 1 / 400), 10)
        kept = picked[q <= 0.1]
        false_shares.append(np.mean(kept >= 20) if len(kept) else 0.0)
    assert np.mean(false_shares) <= 0.1
