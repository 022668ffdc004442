"""Average thresholded confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import NotApplicable
from tilth.monitoring.atc import Atc, certainty, thresholded_share

SURE = np.array([0.9, 0.8, 0.7, 0.6])


def test_by_hand():
    """Three of four are right, so the three surest count: from 0.7 on."""
    right = np.array([1.0, 0.0, 1.0, 1.0])
    assert thresholded_share(SURE, right, np.array([0.95, 0.7, 0.69, 0.1])) == 0.5
    assert thresholded_share(SURE, np.ones(4), np.array([0.6, 0.59])) == 0.5
    assert thresholded_share(SURE, np.zeros(4), np.array([0.9, 0.5])) == 0.0


def test_rows_on_the_threshold_count_in_part():
    """Four rows at one confidence, three right: each new row there is right by three quarters."""
    assert thresholded_share(np.full(4, 0.8), np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.8, 0.8, 0.9, 0.7])) == 0.625


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=1, max_size=30))
def test_of_the_reference_itself_it_is_its_score(rows):
    sure, right = (np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
    assert thresholded_share(sure, right, sure) == pytest.approx(right.mean())


def test_entropy_by_hand():
    probs = np.array([[0.5, 0.5], [1.0, 0.0]])
    assert certainty(probs, "entropy") == pytest.approx([-np.log(2), 0.0])


@pytest.mark.parametrize("by", ["confidence", "entropy"])
def test_a_shift_of_features_is_followed(by, asked, drawn):
    reference, current = drawn(0, 2_000), drawn(1, 1_000, moved=1.0)
    found = asked(Atc(by=by), reference, {name: current[name] for name in ("pred_probs",)})
    old, truth = reference["scores"].mean(), current["scores"].mean()
    assert truth > old + 0.04
    assert abs(found.value - truth) < abs(old - truth)


def test_other_scores_are_refused(asked, drawn):
    reference = drawn(0, 50) | {"scores": np.full(50, 0.5)}
    with pytest.raises(NotApplicable, match="right or wrong"):
        asked(Atc(), reference, {"pred_probs": reference["pred_probs"]})
