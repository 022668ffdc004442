from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference

from tilth.core.errors import LabelError
from tilth.core.target import Target
from tilth.learning.ridge import Ridge
from tilth.testing.views import view_of

N, D = 60, 4
RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((N, D)).astype(np.float32)
NUMBERS = FEATURES @ RNG.standard_normal(D) + 5 + 0.1 * RNG.standard_normal(N)
VIEW = view_of(Ridge(), classes=(), embeddings=FEATURES)
ALL = np.ones(N, dtype=bool)


@pytest.mark.parametrize("penalty", [10.0, 0.01])
def test_parity_with_sklearn(penalty: float) -> None:
    weights = RNG.uniform(0.5, 2, N)
    model = Ridge(penalty=penalty).fit(VIEW, Target.values(NUMBERS, ALL, weights))
    theirs = Reference(alpha=penalty).fit(FEATURES.astype(float), NUMBERS, sample_weight=weights)
    found = Ridge(penalty=penalty).predict_proba(VIEW, model)
    assert found.shape == (N, 1)
    np.testing.assert_allclose(found[:, 0], theirs.predict(FEATURES.astype(float)), atol=1e-6)


def test_rows_without_a_number_are_not_learnt_from() -> None:
    mask = np.arange(N) % 2 == 0
    wild = np.where(mask, NUMBERS, np.nan)
    part = view_of(Ridge(), classes=(), embeddings=FEATURES[mask])
    known = Ridge().fit(part, Target.values(NUMBERS[mask], mask[mask]))
    np.testing.assert_allclose(
        Ridge().predict_proba(VIEW, Ridge().fit(VIEW, Target.values(wild, mask))), Ridge().predict_proba(VIEW, known)
    )


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(LabelError, match="no row"):
        Ridge().fit(VIEW, Target.values(NUMBERS, ~ALL))


def test_the_grid_begins_with_the_simplest() -> None:
    penalties = [learner.penalty for learner in Ridge().grid()]
    assert penalties == sorted(penalties, reverse=True)
