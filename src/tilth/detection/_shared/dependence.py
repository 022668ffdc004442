"""Does one thing depend on another: p-value and size of the effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Vector

__all__ = ["Dependence", "class_dependence", "number_dependence"]

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
    result = stats.chi2_contingency(table, correction=False)
    return float(result.pvalue), float(np.sqrt(result.statistic / table.sum()))


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
    result = stats.mannwhitneyu(inside, outside, method="asymptotic")
    return float(result.pvalue), float(abs(2 * result.statistic / (len(inside) * len(outside)) - 1))
