"""Does one thing depend on another: p-value and size of the effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from tilth.numerics.distributions import normal_tail

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Vector

__all__ = ["Dependence", "average_ranks", "class_dependence", "number_dependence"]

Dependence = tuple[float, float]
"""p-value and effect size in [0, 1]."""
LEAST_EXPECTED = 5.0
"""Chi² needs about this many expected cells in each field of the table; rarer classes are put together."""


def class_dependence(missing: Mask, codes: IntVector) -> Dependence:
    """Return whether cells are missing more often in some classes: p-value of chi² and Cramér's V.

    Classes too rare for the test are put together. O(n).

    Parameters
    ----------
    missing : Mask, (n,)
        Cells without a value.
    codes : IntVector, (n,)
        Class, or split, of each row, >= 0.

    Returns
    -------
    tuple of float
        p-value in [0, 1], V in [0, 1]; (1, 0) where there is nothing to compare.

    Randomness
    ----------
    None.

    Source
    ------
    Pearson (1900), Philosophical Magazine 50; Cramér (1946), section 21.9.

    Examples
    --------
    >>> class_dependence(np.repeat([True, False], 20), np.repeat([0, 1], 20))[1]
    1.0
    """
    gaps, rows = np.bincount(codes, missing), np.bincount(codes)
    rate = missing.mean()
    common = rows * min(rate, 1 - rate) >= LEAST_EXPECTED
    table = np.stack([gaps[common], (rows - gaps)[common]])
    rest = np.array([gaps[~common].sum(), (rows - gaps)[~common].sum()])
    if rest.sum() * min(rate, 1 - rate) >= LEAST_EXPECTED:
        table = np.column_stack([table, rest])
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return 1.0, 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = ((table - expected) ** 2 / expected).sum()
    return float(special.chdtrc(table.shape[1] - 1, statistic)), float(np.sqrt(statistic / table.sum()))


def number_dependence(missing: Mask, numbers: Vector) -> Dependence:
    """Return whether labels are larger or smaller where cells are missing: rank-sum p-value and effect.

    O(n log n).

    Parameters
    ----------
    missing : Mask, (n,)
        Cells without a value.
    numbers : Vector, (n,)
        Numeric labels.

    Returns
    -------
    tuple of float
        p-value in [0, 1], |rank-biserial correlation| in [0, 1]; (1, 0) with fewer than five rows on one
        side.

    Randomness
    ----------
    None.

    Source
    ------
    Mann, Whitney (1947), Annals of Mathematical Statistics 18.

    Examples
    --------
    >>> number_dependence(np.repeat([True, False], 20), np.arange(40.0))[1]
    1.0
    """
    inside, outside = numbers[missing], numbers[~missing]
    if min(len(inside), len(outside)) < LEAST_EXPECTED:
        return 1.0, 0.0
    m, n, pairs = len(inside), len(numbers), len(inside) * len(outside)
    ranks = average_ranks(numbers)
    wins = (
        float(ranks[missing].sum()) - m * (m + 1) / 2
    )  # pairs of rows in which the label is larger where the cell is missing
    ties = np.unique(numbers, return_counts=True)[1].astype(np.float64)
    spread = np.sqrt(pairs / 12 * ((n + 1) - (ties**3 - ties).sum() / (n * (n - 1))))
    off = abs(wins - pairs / 2)
    if spread == 0:
        return 1.0, 0.0
    p_value = min(1.0, 2 * float(normal_tail((off - 0.5) / spread)))  # half a pair for the law being discrete
    return p_value, 2 * off / pairs


def average_ranks(values: Vector) -> Vector:
    """Return (n,) ranks from 1; equal values share their mean rank. O(n log n).

    Parameters
    ----------
    values : Vector, (n,)
        Finite.

    Returns
    -------
    Vector, (n,)

    Randomness
    ----------
    None.

    Examples
    --------
    >>> average_ranks(np.array([3.0, 1.0, 3.0]))
    array([2.5, 1. , 2.5])
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])
