"""Scores of rows that belong to a slice in part: their mean with its interval, and whether it is low by chance.

    mean = sum w s / sum w,   effective rows = (sum w)^2 / sum w^2
    T = sum (w - mean w)(s - mean s); under exchangeable rows its first three moments are exact:
        E T = 0,   E T^2 = sum a^2 sum b^2 / (n - 1),   E T^3 = n sum a^3 sum b^3 / ((n - 1)(n - 2))

The tail of T is that of the shifted gamma law with these moments, which follows the skew of rare errors; the normal law does not.
For scores of two values and memberships of 0 and 1 the tail is exact (hypergeometric).

Source: Mielke, Berry (2007), Permutation Methods, 2nd ed., 2.3 (Pearson type III); Fisher (1935), The Design of Experiments;
Kish (1965), Survey Sampling, 11.7 (effective rows).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from tilth.core.arrays import IntVector, Vector
from tilth.core.errors import InputError
from tilth.core.estimate import WIDEST, Estimate
from tilth.numerics.distributions import normal_tail, student_point
from tilth.numerics.grouped_tests import grouped_gap
from tilth.numerics.intervals import wilson

__all__ = ["chance_of_low", "soft_mean"]


def soft_mean(scores: Vector, membership: Vector, level: float = 0.95, groups: IntVector | None = None) -> Estimate:
    """Return the mean score of rows that belong in part, with its interval. O(n).

    Parameters
    ----------
    scores : Vector, (n,)
        Finite, in the unit of the metric.
    membership : Vector, (n,)
        In [0, 1], not all 0.
    level : float
        Coverage, in (0, 1); default 0.95.
    groups : IntVector or None, (n,)
        Code of the group of each row; None where rows are independent.

    Returns
    -------
    Estimate
        Wilson's interval at the effective number of rows where all scores are 0 or 1, else Student's; all numbers where
        there is hardly more than one effective row. With groups, the effective number is at most that which has the variance
        between them, and the degrees of freedom are those of the groups.

    Raises
    ------
    InputError
        No row belongs.

    Randomness
    ----------
    None.

    Source
    ------
    Kish (1965), Survey Sampling, 11.7; Wilson (1927), JASA 22.

    Examples
    --------
    >>> soft_mean(np.array([0.0, 1.0, 1.0]), np.array([0.5, 0.5, 0.0])).value
    0.5
    """
    total = float(membership.sum())
    if not total > 0:
        raise InputError("no row belongs to the slice", next_step="leave empty slices out")
    shares = membership / total
    value, rows = float(shares @ scores), 1 / float(np.square(shares).sum())
    codes = np.arange(len(scores)) if groups is None else np.unique(groups, return_inverse=True)[1]
    effective = rows if groups is None else min(rows, 1 / float(np.square(np.bincount(codes, shares)).sum()))
    if np.isin(scores, (0.0, 1.0)).all():
        if groups is not None:
            effective = _between(shares, scores, value, codes, rows, effective)
        found = wilson(min(value, 1.0) * effective, effective, level)
        low, high = min(found.low, value), max(found.high, value)
        return Estimate(value=value, low=low, high=high, standard_error=found.standard_error)
    if effective < 1.5:
        return Estimate(value=value, low=-WIDEST, high=WIDEST, standard_error=WIDEST)
    sums = np.bincount(codes, shares * (scores - value))
    spread = float(np.square(sums).sum()) * effective / (effective - 1)
    error = float(np.sqrt(spread))
    half = error * float(student_point((1 - level) / 2, effective - 1))
    return Estimate(value=value, low=value - half, high=value + half, standard_error=error)


def _between(shares: Vector, scores: Vector, value: float, codes: IntVector, rows: float, groups: float) -> float:
    """Return the number of independent rows that would make a share as uncertain as it is between groups, at most `rows`.

    That of the groups where all scores are one: they say nothing of how alike rows of a group are.
    """
    variance = value * (1 - value)
    if not variance > 1e-12 or groups < 1.5:
        return min(rows, groups)
    between = float(np.square(np.bincount(codes, shares * (scores - value))).sum()) * groups / (groups - 1)
    return rows if between <= variance / rows else max(variance / between, min(1.0, groups))


def chance_of_low(scores: Vector, membership: Vector, groups: IntVector | None = None) -> float:
    """Return the chance that rows drawn without regard to scores would score as low as those of a slice. O(n).

    Parameters
    ----------
    scores : Vector, (n,)
        Finite, higher is better; of rows that took no part in finding the slice.
    membership : Vector, (n,)
        In [0, 1].
    groups : IntVector or None, (n,)
        Code of the group of each row; the chance is then at least that of `grouped_tests`. None where rows are independent.

    Returns
    -------
    float
        In (0, 1]; 1 with fewer than three rows, or where scores or memberships do not vary.

    Randomness
    ----------
    None.

    Source
    ------
    Mielke, Berry (2007), Permutation Methods, 2.3; Fisher (1935), The Design of Experiments.

    Examples
    --------
    >>> scores = np.array([0.0] * 4 + [1.0] * 16)
    >>> round(1 / chance_of_low(scores, 1 - scores))  # one of 20 over 4 draws
    4845
    """
    n = len(scores)
    a, b = membership - membership.mean() if n else membership, scores - scores.mean() if n else scores
    if n < 3 or not (np.abs(a) > 1e-12).any() or not (np.abs(b) > 1e-12 * max(1.0, float(np.abs(scores).max()))).any():
        return 1.0
    together = 0.0 if groups is None else grouped_gap(-scores, membership, groups).p_value
    return max(together, _of_rows(scores, membership, a, b))


def _of_rows(scores: Vector, membership: Vector, a: Vector, b: Vector) -> float:
    """Return the chance where rows are exchangeable; `a` and `b` are memberships and scores without their means."""
    n = len(scores)
    if len(np.unique(scores)) == 2 and np.isin(membership, (0.0, 1.0)).all():
        lows = scores == scores.min()
        return _hypergeometric(int(lows[membership == 1].sum()), int(lows.sum()), int(membership.sum()), n)
    second = float(np.square(a).sum() * np.square(b).sum() / (n - 1))
    third = float(n * (a**3).sum() * (b**3).sum() / ((n - 1) * (n - 2)))
    return float(max(_gamma_lower(float(a @ b) / np.sqrt(second), third / second**1.5), 1e-300))


def _gamma_lower(z: float, skew: float) -> float:
    """P(Z <= z) of the shifted gamma law with mean 0, variance 1 and a skew."""
    if abs(skew) < 1e-4:
        return float(normal_tail(-z))
    shape = 4 / skew**2
    at = shape + z * np.sqrt(shape) * np.sign(skew)
    if at <= 0:
        return 0.0 if skew > 0 else 1.0
    return float(special.gammainc(shape, at) if skew > 0 else special.gammaincc(shape, at))


def _hypergeometric(hits: int, lows: int, drawn: int, n: int) -> float:
    """P(at least so many of the low rows among those drawn)."""
    k = np.arange(hits, min(lows, drawn) + 1)
    logs = _log_choose(lows, k) + _log_choose(n - lows, drawn - k) - _log_choose(n, np.array(drawn))
    return float(min(1.0, np.exp(special.logsumexp(logs))))


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        found = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.where((k < 0) | (k > n), -np.inf, found)
