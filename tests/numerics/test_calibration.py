"""Temperature scaling and calibration error: by hand, planted temperature, against a grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from tilth.core.errors import InputError
from tilth.numerics.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
)


def world(n=4_000, k=4, *, temperature=1.0, seed=0):
    """Predictions that are calibrated once divided by the temperature."""
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(n, k))
    cumulated = np.exp(log_softmax(scores, axis=1)).cumsum(axis=1)
    labels = (rng.random((n, 1)) > cumulated).sum(axis=1).clip(max=k - 1)
    return log_softmax(scores * temperature, axis=1), labels


def test_by_hand():
    # Odds 9 : 1 predicted, right 3 of 4 times: 9^(1/T) = 3, so T = 2.
    log_probs = np.log(np.array([[0.9, 0.1]] * 4))
    temperature = fit_temperature(log_probs, np.array([0, 0, 0, 1]))
    assert temperature == pytest.approx(2.0, abs=1e-8)
    assert apply_temperature(log_probs, temperature)[0] == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_planted_temperature_is_recovered(temperature):
    log_probs, labels = world(temperature=temperature)
    assert fit_temperature(log_probs, labels) == pytest.approx(temperature, rel=0.1)


def test_no_grid_point_is_better():
    log_probs, labels = world(300, temperature=2.0)
    rows = np.arange(300)

    def loss(t):
        return -np.log(apply_temperature(log_probs, t)[rows, labels]).mean()

    best = fit_temperature(log_probs, labels)
    assert all(loss(best) <= loss(t) + 1e-12 for t in best * np.geomspace(0.5, 2, 41))


def test_soft_targets_and_weights_are_split_rows():
    log_probs, labels = world(200, temperature=2.0)
    other = (labels + 1) % 4
    soft = 0.8 * np.eye(4)[labels] + 0.2 * np.eye(4)[other]
    split = fit_temperature(
        np.concatenate([log_probs, log_probs]), np.concatenate([labels, other]), np.repeat([0.8, 0.2], 200)
    )
    assert fit_temperature(log_probs, soft) == pytest.approx(split, rel=1e-8)


def test_ends_of_the_range():
    log_probs = np.log(np.array([[0.8, 0.2], [0.3, 0.7]]))
    assert fit_temperature(log_probs, np.array([0, 1])) == 0.01
    assert fit_temperature(log_probs, np.array([1, 0])) == 100.0


def test_probability_zero_is_no_trouble():
    log_probs = np.array([[0.0, -np.inf], [0.0, -np.inf], [-np.inf, 0.0]])
    assert fit_temperature(log_probs, np.array([0, 1, 1])) == 100.0
    assert apply_temperature(log_probs, 1.0)[0] == pytest.approx([1.0, 0.0])


@given(st.floats(0.01, 100), st.integers(0, 100))
def test_temperature_keeps_order_and_sums(temperature, seed):
    log_probs = log_softmax(np.random.default_rng(seed).normal(size=(5, 3)), axis=1)
    probs = apply_temperature(log_probs, temperature)
    assert probs.sum(axis=1) == pytest.approx(1)
    ordered = np.take_along_axis(probs, log_probs.argsort(axis=1), axis=1)
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_reliability_by_hand():
    pred_probs = np.array([[0.8, 0.2], [0.4, 0.6], [0.55, 0.45], [0.9, 0.1]])
    labels = np.array([0, 0, 0, 1])
    bins = reliability(pred_probs, labels, n_bins=2)
    assert bins.share == pytest.approx([1.0])
    assert bins.confidence == pytest.approx([2.85 / 4])
    assert bins.accuracy == pytest.approx([0.5])
    # Bins of a tenth, closed on the right: .55 and .6 | .8 | .9.
    expected = (abs(1.15 - 1) + abs(0.8 - 1) + abs(0.9 - 0)) / 4
    assert expected_calibration_error(pred_probs, labels, n_bins=10) == pytest.approx(expected)
    # Weight 0 removes the last row.
    weighted = expected_calibration_error(pred_probs, labels, np.array([1.0, 1, 1, 0]), n_bins=10)
    assert weighted == pytest.approx((0.15 + 0.2) / 3)


def test_scaling_lowers_the_error_of_overconfident_predictions():
    log_probs, labels = world(temperature=3.0)
    before = expected_calibration_error(np.exp(log_probs), labels)
    after = expected_calibration_error(apply_temperature(log_probs, fit_temperature(log_probs, labels)), labels)
    assert before > 0.1
    assert after < 0.03


def test_refusals():
    log_probs, labels = world(10)
    with pytest.raises(InputError, match="class numbers"):
        fit_temperature(log_probs, labels + 4)
    with pytest.raises(InputError, match="10 rows"):
        fit_temperature(log_probs, labels[1:])
    with pytest.raises(InputError, match="soft targets"):
        fit_temperature(log_probs, np.full((10, 5), 0.2))
    with pytest.raises(InputError, match="not all 0"):
        fit_temperature(log_probs, labels, np.zeros(10))
    with pytest.raises(InputError, match="row 0"):
        fit_temperature(np.full((10, 4), np.nan), labels)
    with pytest.raises(InputError, match="temperature"):
        apply_temperature(log_probs, 0.0)
    with pytest.raises(InputError, match="n_bins"):
        reliability(np.exp(log_probs), labels, n_bins=0)
    with pytest.raises(InputError, match="n, k >= 1"):
        reliability(np.zeros((0, 2)), labels[:0])
