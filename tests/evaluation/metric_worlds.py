"""Small random rows for metrics: labels with predictions, of one class each or of several."""

from __future__ import annotations

import numpy as np


def world(k, n=80, seed=0):
    """Class numbers, every class there, and probabilities."""
    rng = np.random.default_rng([k, n, seed])
    labels = np.append(np.arange(k), rng.integers(k, size=n - k))
    return labels, rng.dirichlet(np.ones(k), n)


def several(k, n=80, seed=0):
    """Columns of 0 and 1, every class there, and a probability for each."""
    rng = np.random.default_rng([k, n, seed, 1])
    marks = (rng.random((n, k)) < 0.4).astype(int)
    marks[:2] = [[1], [0]]
    return marks, rng.random((n, k))


def numbers(n=80, seed=0):
    """Numbers and their predictions."""
    rng = np.random.default_rng([n, seed, 2])
    truth = rng.standard_normal(n)
    return truth, (truth + rng.standard_normal(n))[:, None]
