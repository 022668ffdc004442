"""data_oob: by hand from given bags, parity with refits, bags that hold all rows, planted flips, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tilth.core.errors import InputError, NotApplicable, UsageError
from tilth.testing.views import view_of
from tilth.valuation.data_oob import DataOob, bag_counts, out_of_bag_share

LINE = np.array([[-1.0], [-0.9], [1.0], [0.9], [1.1]])
GIVEN = np.array([0, 0, 1, 1, 0])


def test_by_hand():
    """Two bags: the first leaves out rows 1 and 4, the second rows 3 and 4; row 4 sits among the other class."""
    counts = np.array([[2, 0, 1, 2, 0], [1, 2, 2, 0, 0]])
    share, errors = out_of_bag_share(LINE, GIVEN, counts)
    assert share.tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
    # Jeffreys: one of one gives a Beta(1.5, 0.5), none of two a Beta(0.5, 2.5), nothing asked a Beta(0.5, 0.5)
    beta = [np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))) for a, b in ((1.5, 0.5), (0.5, 2.5), (0.5, 0.5))]
    assert errors == pytest.approx([beta[2], beta[0], beta[2], beta[0], beta[1]])


def planted(n: int, seed: int):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n)
    features = (rng.standard_normal((n, 6)) + 3.0 * np.eye(3, 6)[truth]) / 4
    wrong = rng.permutation(n) < n // 10
    return features.astype(np.float32), np.where(wrong, (truth + 1) % 3, truth), wrong


def test_equals_refits_by_another_library():
    features, labels, _ = planted(80, seed=1)
    counts = bag_counts(80, 12, np.random.default_rng(2))
    right, asked = np.zeros(80), np.zeros(80)
    for weights in counts:
        model = LogisticRegression(C=1 / 0.3, tol=1e-8, max_iter=1000).fit(features, labels, sample_weight=weights)
        out = weights == 0
        right[out] += model.predict(features[out]) == labels[out]
        asked[out] += 1
    share, _ = out_of_bag_share(features, labels, counts, penalty=0.3)
    known = asked > 0
    assert known.mean() > 0.9
    assert (np.abs(share[known] - right[known] / asked[known]) < 1e-9).mean() > 0.98


def test_bags_hold_as_many_rows_as_there_are():
    counts = bag_counts(50, 400, np.random.default_rng(0))
    assert (counts.sum(axis=1) == 50).all()
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)


def test_planted_flips_are_worth_least():
    features, labels, wrong = planted(300, seed=3)
    valuer = DataOob()
    values = valuer.value(view_of(valuer, classes=("a", "b", "c"), labels=labels, embeddings=features))
    assert values.values[wrong].mean() < 0.2
    assert values.values[~wrong].mean() > 0.9
    assert values.standard_errors is not None
    assert 0 < values.standard_errors.max() < 0.12


def test_a_row_that_every_bag_holds_has_no_value():
    features, labels, _ = planted(60, seed=4)
    valuer = DataOob(bags=1)
    view = view_of(valuer, classes=("a", "b", "c"), labels=labels, embeddings=features)
    values = valuer.value(view)
    assert 10 < len(values) < 35
    assert set(values.values.tolist()) <= {0.0, 1.0}


def test_the_seed_decides_the_bags():
    features, labels, _ = planted(60, seed=5)
    valuer = DataOob(bags=20)
    first, other = (
        valuer.value(view_of(valuer, classes=("a", "b", "c"), labels=labels, embeddings=features, seed=seed))
        for seed in (1, 2)
    )
    assert not np.array_equal(first.values, other.values)


def test_what_cannot_be_valued_is_refused():
    features, labels, _ = planted(20, seed=6)
    with pytest.raises(NotApplicable, match="one class"):
        DataOob().value(view_of(DataOob(), labels=np.zeros(20, dtype=np.intp), embeddings=features))
    with pytest.raises(NotApplicable, match="number"):
        DataOob().value(view_of(DataOob(), classes=(), labels=labels, embeddings=features))
    with pytest.raises(UsageError, match="0 bags"):
        DataOob(bags=0).value(view_of(DataOob(bags=0), labels=labels, embeddings=features))
    with pytest.raises(InputError, match="do not fit"):
        out_of_bag_share(features, labels[:3], np.ones((1, 20), dtype=np.intp))
