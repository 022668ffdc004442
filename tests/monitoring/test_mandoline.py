"""Weighted slices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tilth.core.errors import NotApplicable
from tilth.monitoring.mandoline import Mandoline, balancing_weights, simple_features


def test_by_hand():
    """One of four rows stands in the slice, half of the new ones do: it counts twice, the others two thirds."""
    weights = balancing_weights(np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([0.5]), penalty=1e-9)
    assert weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])


def test_equals_a_general_minimizer():
    rng = np.random.default_rng(0)
    known, wanted = rng.random((200, 6)), np.array([0.3, 0.7, 0.5, 0.5, 0.9, 0.2])

    def value(theta):
        return np.log(np.exp(known @ theta).mean()) - theta @ wanted + 0.001 * theta @ theta / 2

    theta = minimize(value, np.zeros(6), method="BFGS", options={"gtol": 1e-9}).x
    expected = np.exp(known @ theta)
    assert balancing_weights(known, wanted) == pytest.approx(expected / expected.mean(), rel=1e-3)


def test_equal_slices_give_equal_weights():
    known = np.random.default_rng(1).random((50, 3))
    assert balancing_weights(known, known.mean(axis=0)) == pytest.approx(np.ones(50))


def test_slices_that_cannot_be_reached_end():
    """No reference row is in the slice that all new rows are in."""
    weights = balancing_weights(np.zeros((30, 1)), np.array([1.0]))
    assert weights == pytest.approx(np.ones(30))


def slices_of(rows: dict, share: float, seed: int) -> dict:
    """Rows of a slice are right with probability 0.5, others with 0.9; nothing else tells."""
    rng = np.random.default_rng(seed)
    n = len(rows["scores"])
    member = (rng.random(n) < share).astype(np.float64)
    return rows | {"slices": {"hard": member}, "scores": (rng.random(n) < 0.9 - 0.4 * member).astype(np.float64)}


def test_a_slice_that_grew_is_counted_in(asked, drawn):
    held = []
    for seed in range(20):
        reference = slices_of(drawn(seed, 1_000), 0.1, seed)
        current = slices_of(drawn(seed + 50, 500), 0.6, seed + 50)
        found = asked(Mandoline(), reference, {name: current[name] for name in ("pred_probs", "slices")})
        held.append(found.low <= current["scores"].mean() <= found.high)
    assert np.mean(held) >= 0.85


def test_without_slices_simple_features_stand_in(asked, drawn):
    reference, current = drawn(0, 2_000), drawn(1, 1_000, moved=1.0)
    new = {name: current[name] for name in ("pred_probs", "embeddings")}
    found = asked(Mandoline(), reference, new)
    assert found.low <= current["scores"].mean() <= found.high
    known, features = simple_features((reference["pred_probs"], current["pred_probs"]), None)
    assert known.shape == (2_000, 6)
    assert features.shape == (1_000, 6)
    assert known[:, :4].mean(axis=0) == pytest.approx([0.8, 0.6, 0.4, 0.2], abs=0.01)


def test_weights_on_few_rows_are_refused(asked):
    rng = np.random.default_rng(0)
    member = np.zeros(400)
    member[:3] = 1.0
    reference = {"scores": (rng.random(400) < 0.8).astype(float), "slices": {"rare": member}}
    current = {"pred_probs": np.full((50, 2), 0.5), "slices": {"rare": np.ones(50)}}
    with pytest.raises(NotApplicable, match=r"would rest on 3 of 400"):
        asked(Mandoline(penalty=1e-6), reference, current)


def test_nothing_to_go_by_is_refused():
    with pytest.raises(NotApplicable, match="no slices"):
        simple_features(None, None)
