"""copula: by hand, and that margins and correlations stay for every step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tilth.core.errors import InputError
from tilth.numerics.copula import category_order, correlation, normal_scores, quantiles, stepped


def test_normal_scores_by_hand():
    found = normal_scores(np.array([[3.0, 1.0], [1.0, np.nan], [2.0, 1.0]]))
    np.testing.assert_allclose(found[:, 0], stats.norm.ppf([5 / 6, 1 / 6, 1 / 2]))
    assert found[[0, 2], 1].tolist() == [0.0, 0.0], "ties stand in the middle"
    assert np.isnan(found[1, 1])


def test_quantiles_stand_between_values_only_where_most_differ():
    assert quantiles(np.array([0.0, 10.0]), stats.norm.ppf([0.5])).tolist() == [5.0]
    few = quantiles(np.repeat([0.0, 10.0], 10), stats.norm.ppf(np.linspace(0.01, 0.99, 50)))
    assert set(few.tolist()) == {0.0, 10.0}
    assert np.isnan(quantiles(np.array([np.nan]), np.array([0.0]))).all()


@pytest.mark.parametrize("step", [0.3, 1.0])
def test_margins_and_correlations_stay(step):
    rng = np.random.default_rng(0)
    z = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=2000)
    x = np.column_stack([np.exp(z[:, 0]), z[:, 1] ** 3])
    scores = normal_scores(x)
    moved = stepped(scores, rng.random(x.shape), correlation(scores), step)
    made = np.column_stack([quantiles(x[:, j], moved[:, j]) for j in (0, 1)])
    for j in (0, 1):
        assert stats.ks_2samp(made[:, j], x[:, j]).pvalue > 0.01
    rank = stats.spearmanr(made).statistic
    assert rank == pytest.approx(stats.spearmanr(x).statistic, abs=0.05)


def test_a_small_step_stays_near():
    scores = np.linspace(-1, 1, 50)[:, None]
    moved = stepped(scores, np.random.default_rng(0).random((50, 1)), np.eye(1), 0.05)
    assert np.abs(moved - scores).max() < 0.2
    with pytest.raises(InputError):
        stepped(scores, scores, np.eye(1), 0.0)


def test_categories_stand_as_the_numbers_rise():
    codes = np.repeat([0, 1, 2], 20)
    values = np.repeat([5.0, 1.0, 3.0], 20)[:, None] + np.random.default_rng(0).normal(size=(60, 1)) * 0.1
    order = category_order(codes, normal_scores(values))
    assert order.tolist() in ([2, 0, 1], [0, 2, 1])
    assert category_order(codes, np.zeros((60, 0))).tolist() == [0, 1, 2]
