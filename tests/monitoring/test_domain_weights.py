"""Weights by a classifier of domains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from tilth.core.errors import InputError, NotApplicable
from tilth.monitoring.domain_weights import DomainWeights, density_ratio


def parts(n: int) -> np.ndarray:
    return np.arange(n) % 2 == 1


def test_planted_ratio_is_found():
    """Of N(0, 1) and N(1, 1) the logarithm of the ratio is x - 1/2."""
    rng = np.random.default_rng(0)
    reference, current = rng.standard_normal((3_000, 1)), rng.standard_normal((3_000, 1)) + 1
    weights = density_ratio(reference, current, (parts(3_000), parts(3_000)))
    assert spearmanr(weights, reference[:, 0])[0] > 0.99
    slope = np.polyfit(reference[:, 0], np.log(weights), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.15)
    assert weights.mean() == pytest.approx(1.0, abs=0.15)


def test_rows_that_nothing_tells_apart_weigh_alike():
    rng = np.random.default_rng(1)
    alike = [
        density_ratio(rng.standard_normal((300, 20)), rng.standard_normal((200, 20)), (parts(300), parts(200)))
        for _ in range(5)
    ]
    assert sum(np.ptp(weights) == 0 for weights in alike) >= 4


def test_a_shift_of_features_is_followed_within_the_interval(asked, drawn):
    held = []
    for seed in range(10):
        reference, current = drawn(seed, 1_500), drawn(100 + seed, 600, moved=-0.8)
        found = asked(DomainWeights(), reference, {"embeddings": current["embeddings"]})
        held.append(found.low <= current["scores"].mean() <= found.high)
    assert np.mean(held) >= 0.8


def test_rows_without_their_like_are_refused(asked, drawn):
    reference, current = drawn(0, 500), drawn(1, 300, moved=12.0)
    with pytest.raises(NotApplicable, match="no like among them"):
        asked(DomainWeights(), reference, {"embeddings": current["embeddings"]})


def test_other_features_are_refused(asked, drawn):
    reference = drawn(0, 100)
    with pytest.raises(InputError, match="3 features, labelled ones 5"):
        asked(DomainWeights(), reference, {"embeddings": np.zeros((10, 3), dtype=np.float32)})
