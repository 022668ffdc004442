"""Free energy of centred log-probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from tilth.monitoring.energy import Energy, centred_energy


def test_by_hand(asked):
    probs = np.array([[0.5, 0.5], [0.8, 0.2]])
    expected = [np.log(0.5), (np.log(0.8) + np.log(0.2)) / 2]
    assert centred_energy(probs) == pytest.approx(expected)
    assert asked(Energy(), {"pred_probs": probs}, {"pred_probs": probs}) == pytest.approx(expected)


def test_is_the_energy_of_scores_that_sum_to_zero():
    """Such scores come back from their softmax, and the energy is minus their logsumexp."""
    scores = np.random.default_rng(0).standard_normal((50, 7)) * 3
    scores -= scores.mean(axis=1, keepdims=True)
    assert centred_energy(softmax(scores, axis=1)) == pytest.approx(-logsumexp(scores, axis=1))


def test_zeros_do_not_make_it_infinite():
    assert np.isfinite(centred_energy(np.array([[1.0, 0.0], [0.0, 1.0]]))).all()
