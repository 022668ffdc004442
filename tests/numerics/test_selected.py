"""selected: q-values by hand, and under a choice that looked at the data."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.selected import harmonic, selected_q, selected_tail


def test_q_values_by_hand():
    q = selected_q(np.array([0.002, 0.0001, 0.9]), np.array([0.5, 0.1, 0.5]), 3)
    assert q == pytest.approx([0.004 * harmonic(3) / 2, 0.001 * harmonic(3), 1.0])
    assert selected_q(np.zeros(0), np.zeros(0), 5).tolist() == []
    with pytest.raises(InputError):
        selected_q(np.ones(3), np.ones(3), 2)
    assert selected_tail(0.95, 2, 0.1, 10) == pytest.approx(0.05 * 0.1 * 2 / harmonic(10))


def test_a_choice_that_looked_at_the_data_keeps_its_promise():
    """400 groups of which 20 are bad and excluded from one another; the choice takes what is most extreme."""
    rng = np.random.default_rng(0)
    false_shares = []
    for _ in range(300):
        z = rng.normal(size=400) - rng.normal() * 0.7
        z[:20] += 4.5
        p = np.exp(-(np.clip(z, 0, None) ** 2) / 2)
        picked = np.argsort(p)[:10]
        q = selected_q(p[picked], np.full(10, 1 / 400), 10)
        kept = picked[q <= 0.1]
        false_shares.append(np.mean(kept >= 20) if len(kept) else 0.0)
    assert np.mean(false_shares) <= 0.1
