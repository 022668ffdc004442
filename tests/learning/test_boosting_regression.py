from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from tilth.core.errors import LabelError
from tilth.core.target import Target
from tilth.learning.boosting_regression import BoostingRegression
from tilth.testing.views import view_of

SMALL = BoostingRegression(iterations=8, leaves=4)
N = 120
RNG = np.random.default_rng(0)
X = RNG.standard_normal(N)
Y = np.abs(X) + 0.1 * RNG.standard_normal(N)
VIEW = view_of(SMALL, classes=(), table={"x": pa.array(X)})
ALL = np.ones(N, dtype=bool)


def test_parity_with_sklearn() -> None:
    weights = RNG.uniform(0.5, 2, N)
    found = SMALL.predict_proba(VIEW, SMALL.fit(VIEW, Target.values(Y, ALL, weights)))
    theirs = HistGradientBoostingRegressor(max_iter=8, max_leaf_nodes=4, early_stopping=False)
    assert found.shape == (N, 1)
    np.testing.assert_allclose(found[:, 0], theirs.fit(X[:, None], Y, sample_weight=weights).predict(X[:, None]))


def test_it_bends() -> None:
    found = BoostingRegression().predict_proba(VIEW, BoostingRegression().fit(VIEW, Target.values(Y, ALL)))
    assert np.corrcoef(found[:, 0], np.abs(X))[0, 1] > 0.9


def test_rows_without_a_number_or_weight_are_not_learnt_from() -> None:
    mask = np.arange(N) % 3 > 0
    wild = np.where(mask, Y, np.nan)
    targets = Target.values(wild, mask), Target.values(np.where(mask, Y, 1e6), ALL, mask.astype(float))
    np.testing.assert_array_equal(*(SMALL.predict_proba(VIEW, SMALL.fit(VIEW, target)) for target in targets))


def test_nothing_to_learn_from_is_refused_and_no_rows_are_predicted() -> None:
    with pytest.raises(LabelError, match="no row"):
        SMALL.fit(VIEW, Target.values(Y, ~ALL))
    none = view_of(SMALL, classes=(), table={"x": pa.array([], pa.float64())})
    assert SMALL.predict_proba(none, SMALL.fit(VIEW, Target.values(Y, ALL))).shape == (0, 1)
