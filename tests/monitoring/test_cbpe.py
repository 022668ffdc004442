"""Calibrated confidence."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from tilth.core.errors import NotApplicable
from tilth.monitoring.cbpe import Cbpe, calibrated_by


def test_by_hand():
    """0.6 is right and 0.7 wrong, which does not rise: both get one half. Rows of one confidence stand together."""
    steps = calibrated_by(np.array([0.5, 0.6, 0.7, 0.9, 0.9]), np.array([0.0, 1.0, 0.0, 1.0, 1.0]))
    assert steps.starts.tolist() == [0.5, 0.6, 0.9]
    assert steps.values.tolist() == [0.0, 0.5, 1.0]
    assert steps.rows.tolist() == [1.0, 2.0, 2.0]
    assert steps.values[steps.step_of(np.array([0.1, 0.65, 0.8, 0.95]))].tolist() == [0.0, 0.5, 0.5, 1.0]


def test_equals_scikit_learn_where_it_was_fitted():
    rng = np.random.default_rng(0)
    sure = np.round(rng.random(300), 2)
    right = (rng.random(300) < sure).astype(np.float64)
    steps = calibrated_by(sure, right)
    found = steps.values[steps.step_of(sure)]
    assert found == pytest.approx(IsotonicRegression().fit(sure, right).predict(sure), abs=1e-12)
    assert found.mean() == pytest.approx(right.mean())


@pytest.mark.parametrize("moved", [-1.0, 0.0, 1.0])
def test_a_shift_of_features_is_followed_within_the_interval(moved, asked, drawn):
    held = []
    for seed in range(20):
        reference, current = drawn(seed, 1_000), drawn(100 + seed, 500, moved=moved)
        found = asked(Cbpe(), reference, {"pred_probs": current["pred_probs"]})
        held.append(found.low <= current["scores"].mean() <= found.high)
    assert np.mean(held) >= 0.85


def test_overconfident_predictions_are_set_right(asked, drawn):
    reference, current = drawn(2, 2_000), drawn(3, 1_000)
    for rows in (reference, current):
        sharp = rows["pred_probs"] ** 4
        rows["pred_probs"] = sharp / sharp.sum(axis=1, keepdims=True)
    found = asked(Cbpe(), reference, {"pred_probs": current["pred_probs"]})
    truth = current["scores"].mean()
    assert found.low <= truth <= found.high
    assert current["pred_probs"].max(axis=1).mean() > truth + 0.05


def test_a_changed_rule_is_not_seen(asked, drawn):
    """What no estimator can know: the same features, other labels."""
    reference, current = drawn(4, 2_000), drawn(5, 1_000, turned=1.0)
    found = asked(Cbpe(), reference, {"pred_probs": current["pred_probs"]})
    assert abs(found.value - reference["scores"].mean()) < 0.03
    assert current["scores"].mean() < found.low - 0.1


def test_any_score_that_rises_with_confidence(asked, drawn):
    reference, current = drawn(6, 2_000), drawn(7, 1_000, moved=0.5)
    for rows in (reference, current):
        rows["scores"] = np.log(rows["pred_probs"][np.arange(len(rows["labels"])), rows["labels"]])
    found = asked(Cbpe(), reference, {"pred_probs": current["pred_probs"]})
    assert found.low <= current["scores"].mean() <= found.high <= 0.0


def test_few_rows_are_refused(asked, drawn):
    few = drawn(0, 19)
    with pytest.raises(NotApplicable, match="only 19 labelled rows"):
        asked(Cbpe(), few, {"pred_probs": few["pred_probs"]})
