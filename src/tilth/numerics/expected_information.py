"""Whom to ask: how much the answer of each person about each row is expected to tell, and who is given which row.

    I(row, j) = H(truth) - sum over c of P(j says c) H(truth | j says c)
              = H(said by j) - sum over t of P(truth t) H(j's answers where it is t)

Source: Lindley (1956), On a measure of the information provided by an experiment, Annals of Mathematical Statistics 27; as a choice
of annotators: Welinder, Perona (2010), Online crowdsourcing, CVPR workshop.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError

__all__ = ["assigned", "expected_information"]

_TIE = 1e-9


def expected_information(posterior: Matrix, confusions: np.ndarray) -> Matrix:
    """Return by how much an answer is expected to lower the entropy of a row's class, in nats; (n, k), (m, k, k) -> (n, m).

    O(n m k²) time.

    Parameters
    ----------
    posterior : (n, k) probability of each class of each row before the answer; rows sum to 1
    confusions : (m, k, k) [j, t, c] = P(person j says c | truth t), sums to 1 over the last axis

    Returns
    -------
    Matrix, (n, m)
        In [0, log k], in row order; 0 for who answers whatever the class.

    Raises
    ------
    InputError
        Shapes that do not fit.

    Randomness
    ----------
    None.

    Source
    ------
    Lindley (1956), Annals of Mathematical Statistics 27, equation 2.

    Examples
    --------
    >>> oracle, coin = np.eye(2), np.full((2, 2), 0.5)
    >>> expected_information(np.array([[0.5, 0.5], [1.0, 0.0]]), np.stack([oracle, coin])).round(3).tolist()
    [[0.693, 0.0], [0.0, 0.0]]
    """
    if posterior.ndim != 2 or confusions.shape[1:] != (posterior.shape[1],) * 2:
        raise InputError("each person needs one row of chances per class, and each row one chance per class")
    said = np.einsum("nt,mtc->nmc", posterior, confusions)
    within = _entropy(confusions)
    return np.asarray(np.maximum(_entropy(said) - posterior @ within.T, 0.0))


def assigned(gains: Matrix, may: Mask, cap: int | None = None) -> IntVector:
    """Return who is given each row, (n,); -1 where nobody may be, or all who may have enough.

    Without a cap each row goes to whom it gains most by, and among equals to who has least so far. With a cap the gain of all
    rows together is greatest (linear assignment). O(n m), with a cap O((n + m cap)³).

    Parameters
    ----------
    gains : (n, m) >= 0
    may : (n, m) whether a person may be given a row
    cap : most rows of one person, at least 1; None for no cap

    Returns
    -------
    array, (n,)
        Numbers of people in [0, m), or -1.

    Raises
    ------
    InputError
        A cap below 1.

    Randomness
    ----------
    None.

    Examples
    --------
    >>> gains, all_may = np.array([[0.5, 0.4], [0.5, 0.1]]), np.ones((2, 2), dtype=bool)
    >>> assigned(gains, all_may).tolist(), assigned(gains, all_may, cap=1).tolist()
    ([0, 0], [1, 0])
    """
    if cap is not None and cap < 1:
        raise InputError("a person is given one row at least")
    if not gains.size:
        return np.full(len(gains), -1, dtype=np.intp)
    return _one_by_one(gains, may) if cap is None else _together(gains, may, cap)


def _one_by_one(gains: Matrix, may: Mask) -> IntVector:
    given, load = np.full(len(gains), -1, dtype=np.intp), np.zeros(gains.shape[1])
    for row in range(len(gains)):
        if not may[row].any():
            continue
        own = np.where(may[row], gains[row], -np.inf)
        best = np.flatnonzero(own >= own.max() - _TIE)
        given[row] = best[load[best].argmin()]
        load[given[row]] += 1
    return given


def _together(gains: Matrix, may: Mask, cap: int) -> IntVector:
    n = len(gains)
    places = min(cap, n)
    base = float(gains.max()) + 1.0  # to be given to anybody is worth more than any gain
    worth = np.where(may, gains + base, 0.0)
    rows, slots = linear_sum_assignment(np.repeat(worth, places, axis=1), maximize=True)
    given = np.full(n, -1, dtype=np.intp)
    people = slots // places
    inside = may[rows, people]
    given[rows[inside]] = people[inside]
    return given


def _entropy(probs: np.ndarray) -> Vector:
    """Entropy over the last axis, in nats."""
    logs = np.log(np.where(probs > 0, probs, 1.0))
    return np.asarray(-(probs * logs).sum(axis=-1))
