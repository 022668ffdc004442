"""influence_regression: by hand, parity with refits without a row, planted numbers, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError, NotApplicable, UsageError
from tilth.numerics import ridge
from tilth.testing.views import view_of
from tilth.valuation.influence_regression import InfluenceRegression, ridge_influence


def test_by_hand():
    """Features that say nothing, 0, 0 and 3: the mean is 1, and 0 without the third row; the reference is 0."""
    features, numbers, zero = np.zeros((3, 1)), np.array([0.0, 0.0, 3.0]), np.zeros((1, 1))
    # without a row of 0 the mean is 1.5: the error rises by 0.5, its square by 1.25; without 3 they fall by 1
    assert ridge_influence(features, numbers, zero, np.zeros(1)) == pytest.approx([0.5, 0.5, -1.0])
    squared = ridge_influence(features, numbers, zero, np.zeros(1), loss="training")
    assert squared == pytest.approx([1.25, 1.25, -1.0])


@pytest.mark.parametrize("loss", ["error", "training"])
def test_ridge_follows_refits_without_a_row(loss):
    rng = np.random.default_rng(3)
    features, references = rng.standard_normal((60, 4)) + 5, rng.standard_normal((80, 4)) + 5
    slope = np.array([3.0, -2.0, 1.0, 0.0])
    numbers, wanted = features @ slope + rng.standard_normal(60), references @ slope + rng.standard_normal(80)
    numbers[4] += 20

    def error(weights) -> float:
        fitted = ridge.fit(features, numbers, weights, 2.0 / weights.sum())
        gap = np.abs(wanted - ridge.predict(references, fitted))
        return float(gap.mean() if loss == "error" else np.square(gap).mean())

    refitted = np.array([error(1.0 - np.eye(60)[row]) for row in range(60)]) - error(np.ones(60))
    values = ridge_influence(features, numbers, references, wanted, loss=loss, penalty=2.0)
    assert values.argmin() == 4
    if loss == "training":
        assert values == pytest.approx(refitted, rel=1e-8, abs=1e-10)
    others = np.arange(60) != 4
    assert np.corrcoef(values[others], refitted[others])[0, 1] > 0.95


def test_planted_numbers_are_worth_least():
    """All of them too high, among the references as well: the squared error would take them for the truth."""
    rng = np.random.default_rng(5)
    features = rng.standard_normal((300, 4)).astype(np.float32)
    wrong = rng.permutation(300) < 15
    numbers = features @ np.array([3.0, -2.0, 1.0, 0.0]) + 0.5 * rng.standard_normal(300)
    numbers = numbers + 12.0 * wrong
    found = {}
    for loss in ("error", "training"):
        valuer = InfluenceRegression(loss=loss)
        values = valuer.value(view_of(valuer, classes=(), numbers=numbers, embeddings=features)).values
        found[loss] = (values[wrong][:, None] < values[~wrong][None, :]).mean()
    assert found["error"] > 0.95
    assert found["training"] < found["error"] - 0.1


def test_what_cannot_be_valued_is_refused():
    features, numbers = np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0, 4.0])
    with pytest.raises(InputError, match="penalty"):
        ridge_influence(features, numbers, features, numbers, penalty=0.0)
    with pytest.raises(UsageError, match="no loss 'hinge'"):
        ridge_influence(features, numbers, features, numbers, loss="hinge")
    with pytest.raises(NotApplicable, match="two rows"):
        ridge_influence(features[:1], numbers[:1], features, numbers)
    with pytest.raises(InputError, match="do not fit"):
        ridge_influence(features, numbers[:2], features, numbers)
    with pytest.raises(InputError, match="missing or infinite"):
        ridge_influence(features, np.array([1.0, np.nan, 2.0]), features, numbers)
    with pytest.raises(InputError, match="collinear"):
        ridge_influence(1e9 * features, numbers, features, numbers, penalty=1e-9)
    valuer = InfluenceRegression()
    with pytest.raises(NotApplicable, match="class"):
        valuer.value(view_of(valuer, numbers=numbers, embeddings=features.astype(np.float32)))
    with pytest.raises(NotApplicable, match="no fold"):
        valuer.value(view_of(valuer, classes=(), numbers=numbers[:2], embeddings=features[:2].astype(np.float32)))
