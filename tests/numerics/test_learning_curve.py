"""Learning curves: planted laws are found, intervals hold what they promise, flat curves promise nothing."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import InputError, UsageError
from tilth.numerics.learning_curve import fit_curve

SIZES = np.geomspace(200, 6400, 6)


def law(n, share, exponent, error=0.15, beginning=0.0):
    shrunk = ((np.asarray(n) / SIZES[-1] + beginning) / (1 + beginning)) ** -exponent
    return 1 - error * (share + (1 - share) * shrunk)


@pytest.mark.parametrize(("share", "exponent"), [(0.0, 0.3), (0.3, 0.3), (0.5, 0.5), (0.8, 1.0)])
def test_planted_laws_are_found(share, exponent):
    curve = fit_curve(SIZES, law(SIZES, share, exponent), np.full(6, 1e-4))
    for factor in (2, 4):
        n = factor * SIZES[-1]
        true = float(law(n, share, exponent) - law(SIZES[-1], share, exponent))
        found = curve.gain(n)
        assert found.value == pytest.approx(true, rel=0.25)
        assert found.low <= true <= found.high


def test_a_slow_beginning_is_no_slow_end():
    scores = law(SIZES, 0.0, 0.5, beginning=0.3)
    curve = fit_curve(SIZES, scores, np.full(6, 1e-4))
    true = float(law(2 * SIZES[-1], 0.0, 0.5, beginning=0.3) - scores[-1])
    pure = np.polyfit(np.log(SIZES), np.log(1 - scores), 1)[0]
    by_power_law = (1 - scores[-1]) * (1 - 2.0**pure)
    assert abs(curve.gain(12_800).value - true) < abs(by_power_law - true) / 2


@pytest.mark.parametrize(("share", "exponent"), [(1.0, 1.0), (0.0, 0.3), (0.6, 0.5), (0.85, 0.9), (0.9, 0.3)])
@pytest.mark.parametrize("factor", [2, 8])
def test_intervals_hold_what_they_promise(share, exponent, factor):
    rng = np.random.default_rng([7, factor])
    n, hits = factor * SIZES[-1], 0
    true = float(law(n, share, exponent) - law(SIZES[-1], share, exponent))
    for _ in range(40):
        noisy = law(SIZES, share, exponent) + rng.normal(0, 0.004, 6)
        found = fit_curve(SIZES, noisy, np.full(6, 0.004)).gain(n)
        hits += found.low <= true <= found.high
    assert hits >= 36


def test_curves_that_wander_are_covered_too():
    """Off the law by a random walk of 2 % of the error for each doubling, and one more step into what is forecast."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(120):
        walk = np.cumsum(rng.normal(0, 0.02 * 0.15, 7))
        scores = law(np.append(SIZES, 12_800), 0.5, 0.5) + walk
        found = fit_curve(SIZES, scores[:6] + rng.normal(0, 0.001, 6), np.full(6, 0.001)).gain(12_800)
        hits += found.low <= scores[6] - scores[5] <= found.high
    assert hits >= 0.95 * 120 - 5


def test_a_flat_curve_promises_nothing():
    curve = fit_curve(SIZES, np.full(6, 0.85), np.full(6, 0.001))
    gain = curve.gain(12_800)
    assert 0 <= gain.value < 0.004
    assert gain.low < 0 < gain.high
    assert curve.reachable().low < 0.86


def test_noise_that_sizes_share_falls_out_of_gains():
    scores = law(SIZES, 0.5, 0.5)
    apart = fit_curve(SIZES, scores, np.full(6, 0.02)).gain(12_800)
    shared = fit_curve(SIZES, scores, 0.02**2 * np.ones((6, 6)) + 1e-8 * np.eye(6))
    assert shared.gain(12_800).standard_error < apart.standard_error / 2
    assert shared.forecast(12_800).standard_error > 0.02, "the level remains as uncertain as it was measured"


def test_what_is_drawn_once_is_less_certain():
    scores, errors = law(SIZES, 0.5, 0.5), np.full(6, 0.001)
    mean, one = (fit_curve(SIZES, scores, errors, drawn=v).gain(12_800) for v in (0.0, 6400 * 0.01**2))
    assert one.value == pytest.approx(mean.value)
    extra = one.standard_error**2 - mean.standard_error**2
    assert extra == pytest.approx(0.01**2 / 2), "half the variance at N is left at twice as many rows"


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.floats(0.3, 1.0), min_size=4, max_size=7),
    st.floats(0.001, 0.05),
    st.lists(st.floats(1.0, 20.0), min_size=3, max_size=3),
)
def test_laws(scores, error, factors):
    sizes = 100.0 * 2.0 ** np.arange(len(scores))
    curve = fit_curve(sizes, np.array(scores), np.full(len(scores), error))
    beyond = np.sort(np.array(factors)) * sizes[-1]
    values = [curve.forecast(n).value for n in beyond]
    assert all(b >= a - 1e-12 for a, b in pairwise(values)), "more rows are never forecast to harm"
    assert curve.reachable().value >= values[-1] - 1e-12
    for n in beyond:
        gain, wide, narrow = curve.gain(n), curve.forecast(n, 0.95), curve.forecast(n, 0.5)
        assert gain.low <= gain.value <= gain.high
        assert wide.low <= narrow.low + 1e-9
        assert narrow.high <= wide.high + 1e-9
        assert wide.high <= 1.0
    assert curve.gain(beyond[2], since=beyond[0]).value == pytest.approx(values[2] - values[0], abs=1e-9)


@given(st.floats(0.01, 100.0))
@settings(deadline=None, max_examples=10)
def test_the_unit_of_an_error_does_not_matter(unit):
    scores = law(SIZES, 0.4, 0.6) - 1
    plain = fit_curve(SIZES, scores, np.full(6, 0.002), best=0.0).gain(12_800)
    scaled = fit_curve(SIZES, unit * scores, np.full(6, 0.002 * unit), best=0.0).gain(12_800)
    assert scaled.as_list() == pytest.approx([unit * end for end in plain.as_list()], rel=1e-6)


def test_perfect_scores_leave_nothing_to_gain():
    curve = fit_curve(SIZES, np.ones(6), np.full(6, 1e-3))
    assert curve.gain(12_800).value == pytest.approx(0.0, abs=1e-4)
    assert curve.forecast(12_800).high <= 1.0


def test_what_cannot_be_fitted_is_refused():
    scores, errors = law(SIZES, 0.5, 0.5), np.full(6, 0.01)
    with pytest.raises(InputError, match="3 sizes"):
        fit_curve(SIZES[:2], scores[:2], errors[:2])
    with pytest.raises(InputError, match="rise"):
        fit_curve(SIZES[::-1], scores, errors)
    with pytest.raises(InputError, match="at most 1"):
        fit_curve(SIZES, scores + 1, errors)
    with pytest.raises(InputError, match="finite"):
        fit_curve(SIZES, scores, np.full(6, math.nan))
    with pytest.raises(InputError, match="positive"):
        fit_curve(SIZES, scores, np.zeros(6))
    with pytest.raises(InputError, match="variance"):
        fit_curve(SIZES, scores, errors, drawn=-1.0)
    curve = fit_curve(SIZES, scores, errors)
    for wrong in (lambda: curve.forecast(100), lambda: curve.gain(7000, since=8000), lambda: curve.forecast(math.inf)):
        with pytest.raises(UsageError):
            wrong()
