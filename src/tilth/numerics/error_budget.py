"""How much error a dev split may still spend, and how one run shares it among its finalists.

The promise: over the life of a dev split, the chance that any edit without a true gain was kept is at most
alpha, however many runs there are, because sum_r 6 / (pi^2 r^2) = 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError

if TYPE_CHECKING:
    from tilth.core.arrays import Vector

__all__ = ["alpha_left", "alpha_of_run", "benjamini_hochberg", "holm"]


def alpha_of_run(r: int, alpha: float = 0.05) -> float:
    """Return what the r-th run that spends may err: 6 alpha / (pi^2 r^2).

    Bonferroni over an endless series of runs: whatever the runs tell each other, the chance of any error is
    at most the sum, alpha.

    Parameters
    ----------
    r : number of the run on this dev split, from 1; an identical rerun spends nothing and has no number
    alpha : promise over the life of the dev split; default 0.05

    Returns
    -------
    float
        Error that all finalists of the run may spend together, in (0, alpha).

    Raises
    ------
    InputError
        When r < 1, or alpha is not between 0 and 1.

    Source
    ------
    Foster, Stine (2008), Alpha-investing, Journal of the Royal Statistical Society B 70 (alpha-spending over
    a stream of tests); the weights are Euler's sum.

    Examples
    --------
    >>> round(alpha_of_run(1), 4), round(alpha_of_run(2), 4)
    (0.0304, 0.0076)
    """
    _check_alpha(alpha)
    if r < 1:
        raise InputError(f"runs are numbered from 1, not {r}")
    return 6 * alpha / (math.pi * r) ** 2


def alpha_left(runs_spent: int, alpha: float = 0.05) -> float:
    """Return what all runs to come may spend: alpha minus what `runs_spent` runs were given.

    The tail sum_{r > R} 6 alpha / (pi^2 r^2) = 6 alpha / pi^2 * trigamma(R + 1), without cancellation for
    large R.

    Parameters
    ----------
    runs_spent : number of runs that have spent, >= 0
    alpha : promise over the life of the dev split; default 0.05

    Returns
    -------
    float
        Error left, in (0, alpha].

    Raises
    ------
    InputError
        When runs_spent < 0, or alpha is not between 0 and 1.

    Source
    ------
    Abramowitz, Stegun (1964), Handbook of Mathematical Functions, 6.4.10.

    Examples
    --------
    >>> round(alpha_left(0), 4), round(alpha_left(1), 4)
    (0.05, 0.0196)
    """
    _check_alpha(alpha)
    if runs_spent < 0:
        raise InputError(f"{runs_spent} runs cannot have been spent")
    if runs_spent == 0:
        return alpha
    from scipy.special import polygamma

    return 6 * alpha / math.pi**2 * float(polygamma(1, runs_spent + 1))


def holm(p_values: Vector, weights: Vector | None = None) -> Vector:
    """Return p-values adjusted so that comparing each with alpha keeps the chance of any error at most alpha.

    Sorted by p / weight upwards, adjusted_i = max over j <= i of (sum of weights from j on) p_j / weight_j, at most 1; with
    equal weights (m - j + 1) p_j. Valid whatever the dependence, for weights that do not come from what the p-values come
    from. All finalists of a run count, also those that look hopeless. O(m log m).

    Parameters
    ----------
    p_values : (m,) p-values in [0, 1]
    weights : (m,) > 0, which part of alpha each may spend first, up to a factor; equal by default

    Returns
    -------
    Vector
        (m,) adjusted p-values in [0, 1], in the order of the input.

    Raises
    ------
    InputError
        With a value that is not a probability, or weights that are not positive.

    Source
    ------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics
    6, section 3 (weights).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("p-values lie between 0 and 1")
    w = np.ones_like(p) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != p.shape or not ((w > 0) & (w < np.inf)).all():
        raise InputError("each p-value has one positive weight")
    order = np.argsort(p / w, kind="stable")
    left = np.cumsum(w[order][::-1])[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(left * (p / w)[order]))
    return adjusted


def benjamini_hochberg(p_values: Vector) -> Vector:
    """Return p-values adjusted so that of those at most q no more than a share q is expected to be false.

    Sorted upwards, adjusted_i = min over j >= i of m p_j / j, at most 1. Holds for independent p-values and for those that rise
    together. O(m log m).

    Parameters
    ----------
    p_values : (m,) p-values in [0, 1]

    Returns
    -------
    Vector
        (m,) adjusted p-values in [0, 1], in the order of the input.

    Raises
    ------
    InputError
        With a value that is not a probability.

    Source
    ------
    Benjamini, Hochberg (1995), Controlling the false discovery rate, Journal of the Royal Statistical Society B 57;
    Benjamini, Yekutieli (2001), Annals of Statistics 29 (dependence).

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("p-values lie between 0 and 1")
    order = np.argsort(p, kind="stable")[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1)))
    return adjusted


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise InputError(f"alpha lies between 0 and 1, not at {alpha}")
