"""Labels of which only a set of possible classes is known: what a model of the known labels says within the set.

    q_i(c) ∝ p(c | x_i) for c in S_i, else 0;   p fitted to the rows whose class is known

On banking77, 77 intents known up to 20 groups and 400 answers at random: test accuracy .764, of the answers alone .725, of even shares
over the sets .583 (`python -m benchmarks migrations`).

Source: Jin, Ghahramani (2002), Learning with Multiple Labels, NeurIPS, section 3 (its first E step, from the known rows).
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError
from tilth.numerics import softmax_regression

__all__ = ["entropy_within", "within_sets"]

LEAST = 1e-9
"""Probability that each possible class has at least: a class that no known row shows is not ruled out."""
_TOLERANCE = 1e-5


def within_sets(features: FloatMatrix32, labels: IntVector, known: Mask, sets: Mask, penalty: float) -> Matrix:
    """Return p(class | features, the class is in the set) of rows whose label is a set.

    Parameters
    ----------
    features : (n, d), of mean squared length near 1
    labels : (n,) class numbers, read where `known`
    known : (n,) rows whose class is known; they teach
    sets : (m, k) possible classes of the rows that are not known, in their order; each has one at least
    penalty : of |W|² / 2 against the summed loss over known rows, > 0

    Returns
    -------
    (m, k), rows sum to 1; even shares where no class of the set has a known row

    Raises
    ------
    InputError : no row is known, or a set is empty

    Randomness: none.

    Source: Jin, Ghahramani (2002), NeurIPS, section 3.

    Examples
    --------
    >>> features = np.array([[-1.0], [1.0], [-0.9], [0.8]], dtype=np.float32)
    >>> known = np.array([True, True, False, False])
    >>> sets = np.ones((2, 2), dtype=bool)
    >>> within_sets(features, np.array([0, 1, 0, 0]), known, sets, 0.1).argmax(axis=1).tolist()
    [0, 1]
    """
    if not known.any() or not sets.any(axis=1).all():
        raise InputError("no row is known to learn from, or a set of possible classes is empty")
    design = softmax_regression.prepare(features, penalty / int(known.sum()))
    projected = design.project(features)
    hot = np.zeros((len(labels), sets.shape[1]))
    hot[:, 0] = 1.0  # rows that are not known weigh nothing, but a target must be one
    hot[known] = np.eye(sets.shape[1])[labels[known]]
    fitted = softmax_regression.fit(projected, hot, known.astype(np.float64), design, tolerance=_TOLERANCE)
    probs = softmax_regression.predict_proba(projected[~known], fitted)
    probs = np.where(sets, np.maximum(probs, LEAST), 0.0)
    return np.asarray(probs / probs.sum(axis=1, keepdims=True))


def entropy_within(probs: Matrix, sets: Mask) -> Vector:
    """Return the entropy of probabilities within sets, scaled to [0, 1] by that of even shares; (m, k), (m, k) -> (m,)."""
    logs = np.log(np.where(probs > 0, probs, 1.0))
    most = np.log(np.maximum(sets.sum(axis=1), 2))
    return np.asarray(np.clip(-(probs * logs).sum(axis=1) / most, 0.0, 1.0))
