"""Slopes of learning curves by group: what the last doubling of the train rows brought to each.

    slope(g) = mean over the rows i of g of  p_all(y_i | x_i) - p_half(y_i | x_i)

p_all and p_half are predictions of rows by models that did not see them, learnt from all and from half of the other rows. Where
the curve is steep, more rows still help; where it is flat, they do not, however bad the score.

Source: Cortes, Jackel, Solla, Vapnik, Denker (1993), Learning Curves: Asymptotic Values and Rate of Convergence, NeurIPS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics.intervals import mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask, Matrix
    from tilth.core.estimate import Estimate

__all__ = ["doubling_slopes"]


def doubling_slopes(
    labels: IntVector, of_all: Matrix, of_half: Matrix, groups: Sequence[Mask], *, level: float = 0.95
) -> list[Estimate]:
    """Return the slope of each group, paired by rows, with its interval. O(n · groups).

    Parameters
    ----------
    labels : (n,) class numbers
    of_all, of_half : (n, k) out-of-sample probabilities by models of all rows, and of half of them
    groups : masks (n,), each of at least one row; they may overlap
    level : coverage of the intervals, in (0, 1)

    Returns
    -------
    list of Estimate
        In probability of the label, [-1, 1], per doubling of the rows.

    Raises
    ------
    InputError
        Shapes differ, or a group has no row.

    Examples
    --------
    >>> full, half = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.6, 0.4], [0.2, 0.8]])
    >>> [round(one.value, 2) for one in doubling_slopes(np.array([0, 1]), full, half, [np.array([True, False])])]
    [0.3]
    """
    if of_all.shape != of_half.shape or len(labels) != len(of_all):
        raise InputError(f"predictions of {of_all.shape} and {of_half.shape} for {len(labels)} labels do not fit")
    if not all(mine.any() for mine in groups):
        raise InputError("a group without rows has no slope", next_step="leave it out")
    own = np.arange(len(labels))
    rise = of_all[own, labels] - of_half[own, labels]
    return [mean_interval(rise[mine], level, bounds=(-1.0, 1.0)) for mine in groups]
