"""Gains given that they were kept: limits by hand, laws, and coverage in simulated runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tilth.core.errors import InputError
from tilth.numerics.kept_gain import given_kept, least_kept


def test_far_above_the_bar_it_is_the_plain_interval():
    found = given_kept(0.1, 0.01, 0.0)
    assert found.value == pytest.approx(0.1, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((0.1 - 0.0196, 0.1 + 0.0196), abs=1e-3)


def test_the_least_gain_by_hand():
    # p = .0013499 is z = 3 and the bar .0227501 is z = 2: one standard error to spare; the other comparison spares half of it
    assert least_kept(0.05, [0.01], [stats.norm.sf(3.0)], stats.norm.sf(2.0)) == pytest.approx(0.04)
    both = least_kept(0.05, [0.01, 0.02], [stats.norm.sf(3.0), stats.norm.sf(2.25)], stats.norm.sf(2.0))
    assert both == pytest.approx(0.045)
    with pytest.raises(InputError, match="not kept"):
        least_kept(0.05, [0.01], [0.5], 0.05)


@given(st.floats(0.0, 5.0), st.floats(0.001, 10.0))
def test_laws(spare, error):
    found = given_kept(1.0, error, 1.0 - spare * error)
    assert found.low <= found.value <= found.high
    assert found.value <= 1.0 + 1e-9, "luck is taken out, never added"
    assert found.high - found.low <= 2 * 2.82 * error


@pytest.mark.parametrize("theta", [1.5, 2.0, 3.0])
def test_coverage_given_kept(theta):
    rng = np.random.default_rng(0)
    seen = rng.normal(theta, 1.0, 6000)
    kept = seen[seen >= 2.0][:1200]
    found = [given_kept(float(g), 1.0, 2.0) for g in kept]
    covered = np.mean([one.low <= theta <= one.high for one in found])
    plain = np.mean(np.abs(kept - theta) <= 1.96)
    assert covered == pytest.approx(0.95, abs=0.02)
    assert abs(np.median([one.value for one in found]) - theta) < 0.12
    assert theta > 1.5 or plain < covered


def test_what_was_not_kept_is_refused():
    with pytest.raises(InputError, match="was kept"):
        given_kept(0.1, 0.01, 0.2)
    with pytest.raises(InputError, match="was kept"):
        given_kept(0.1, 0.0, 0.0)
