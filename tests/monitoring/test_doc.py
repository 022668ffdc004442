"""Difference of confidences."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.monitoring.doc import Doc, moved_with_confidence


def test_by_hand():
    """Confidence fell from 0.8 to 0.65: of a score of 0.5, 0.35 is left."""
    found = moved_with_confidence(np.array([0.9, 0.7]), np.array([1.0, 0.0]), np.array([0.6, 0.7]))
    assert found == pytest.approx(0.35)


def test_it_stays_within_the_bounds(asked):
    sure = np.stack([np.full(40, 0.95), np.full(40, 0.05)], axis=1)
    unsure = np.stack([np.full(40, 0.55), np.full(40, 0.45)], axis=1)
    found = asked(Doc(), {"pred_probs": unsure, "scores": np.ones(40)}, {"pred_probs": sure})
    assert found.value == found.high == 1.0
    found = asked(Doc(), {"pred_probs": sure, "scores": np.zeros(40)}, {"pred_probs": unsure})
    assert found.value == found.low == 0.0


def test_a_shift_of_features_is_followed_within_the_interval(asked, drawn):
    held = []
    for seed in range(20):
        reference, current = drawn(seed, 1_000), drawn(100 + seed, 500, moved=-0.7)
        found = asked(Doc(), reference, {"pred_probs": current["pred_probs"]})
        held.append(found.low <= current["scores"].mean() <= found.high)
    assert np.mean(held) >= 0.85


def test_other_scores_are_refused(asked, drawn):
    reference = drawn(0, 50) | {"scores": np.full(50, -1.5)}
    with pytest.raises(NotApplicable, match="right or wrong"):
        asked(Doc(), reference, {"pred_probs": reference["pred_probs"]})
