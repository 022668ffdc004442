"""Ridge regression: by hand, against scikit-learn, leave-one-out against refitting."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics import ridge


def world(n=40, d=5, *, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) * np.geomspace(0.1, 10, d) + 3
    targets = features @ rng.normal(size=d) + rng.normal(size=n) + 7
    return features, targets, rng.uniform(0, 2, n)


def test_by_hand():
    # Centred x = ±1, y = ±2: beta = mean(xy) / (mean(x²) + l2) = 2 / 2; b = mean(y) - beta mean(x) = 4 - 3.
    fit = ridge.fit(np.array([[2.0], [4.0]]), np.array([2.0, 6.0]), np.ones(2), 1.0)
    assert fit.coefficients == pytest.approx([1.0])
    assert fit.intercept == pytest.approx(1.0)
    assert ridge.predict(np.array([[0.0], [5.0]]), fit) == pytest.approx([1.0, 6.0])


def test_leave_one_out_by_hand():
    # Without one of two rows the fit is the other row's target.
    left_out = ridge.leave_one_out_residuals(np.array([[2.0], [4.0]]), np.array([2.0, 6.0]), np.ones(2), 1.0)
    assert left_out == pytest.approx([-4.0, 4.0])


def test_equals_sklearn():
    features, targets, weights = world()
    model = Ridge(alpha=0.3 * weights.sum()).fit(features, targets, sample_weight=weights)
    fit = ridge.fit(features, targets, weights, 0.3)
    assert fit.coefficients == pytest.approx(model.coef_, rel=1e-9)
    assert fit.intercept == pytest.approx(model.intercept_, rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(25, 4), (12, 30)])
def test_leave_one_out_equals_refitting(n, d):
    features, targets, weights = world(n, d)
    weights[3] = 0
    left_out = ridge.leave_one_out_residuals(features, targets, weights, 0.05)
    for i in range(n):
        without = weights.copy()
        without[i] = 0
        l2 = 0.05 * weights.sum() / without.sum()  # the total penalty is held
        fit = ridge.fit(features, targets, without, l2)
        expected = targets[i] - ridge.predict(features[i : i + 1], fit)[0]
        assert left_out[i] == pytest.approx(expected, rel=1e-7)


def test_weight_two_is_the_row_twice_and_weight_zero_none():
    features, targets, _ = world(20)
    weights = np.repeat([2.0, 1.0, 0.0], [5, 10, 5])
    rows = np.r_[0:15, 0:5]
    weighted = ridge.fit(features, targets, weights, 0.1)
    copied = ridge.fit(features[rows], targets[rows], np.ones(20), 0.1)
    assert weighted.coefficients == pytest.approx(copied.coefficients)
    assert weighted.intercept == pytest.approx(copied.intercept)


def test_a_spoiled_target_stands_out_more_than_in_plain_residuals():
    features, targets, _ = world(30, 10)
    targets[4] += 20
    left_out = np.abs(ridge.leave_one_out_residuals(features, targets, np.ones(30), 1e-3))
    plain = np.abs(targets - ridge.predict(features, ridge.fit(features, targets, np.ones(30), 1e-3)))
    assert left_out.argmax() == 4
    assert (left_out >= plain).all()


def test_float32_features_are_computed_in_double():
    features, targets, weights = world()
    single = features.astype(np.float32)
    one = ridge.fit(single, targets, weights, 0.1)
    two = ridge.fit(single.astype(float), targets, weights, 0.1)
    assert one.coefficients == pytest.approx(two.coefficients, rel=1e-12)


def test_refusals():
    features, targets, weights = world()
    with pytest.raises(InputError, match="l2"):
        ridge.fit(features, targets, weights, 0.0)
    with pytest.raises(InputError, match="do not match"):
        ridge.fit(features, targets[1:], weights, 1.0)
    with pytest.raises(InputError, match="weights"):
        ridge.fit(features, targets, weights * 0, 1.0)
    with pytest.raises(InputError, match="infinite"):
        ridge.fit(features, targets * np.inf, weights, 1.0)
    with pytest.raises(InputError, match="collinear"):
        ridge.fit(np.outer([-1, 1], [2.0**30, 2.0**30]), np.zeros(2), np.ones(2), 1e-12)
    with pytest.raises(NotApplicable, match="two rows"):
        ridge.leave_one_out_residuals(features, targets, (weights == weights.max()) * 1.0, 1.0)
