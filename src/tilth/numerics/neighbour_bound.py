"""The best score that any model could reach, from how often nearest neighbours disagree.

    classes:  least error >= (k - 1) / k · (1 - sqrt(1 - k e / (k - 1)))        e = error of the nearest neighbour
    numbers:  noise variance = half the mean squared difference of neighbours; of normal noise the mean absolute error is
              sqrt(2 / pi) of its standard deviation

Both hold for many rows: with few, neighbours are far apart, e is too large and the bound on the score too low.

Source: Cover, Hart (1967), Nearest Neighbor Pattern Classification, IEEE Trans. Information Theory 13, eq. 5; Devroye, Györfi,
Lugosi, Walk (2018), A nearest neighbor estimate of the residual variance, Electronic Journal of Statistics 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.numerics.intervals import mean_interval, wilson

if TYPE_CHECKING:
    from tilth.core.arrays import Vector

__all__ = ["least_error", "mae_bound", "share_bound"]


def least_error(error: float, n_classes: int) -> float:
    """Return the least error that a nearest neighbour's error allows, both in [0, 1].

    Raises
    ------
    InputError : an error outside [0, 1], or fewer than two classes

    Source: Cover, Hart (1967), eq. 5.

    Examples
    --------
    >>> round(least_error(0.18, 2), 3)
    0.1
    """
    if not 0 <= error <= 1 or n_classes < 2:
        raise InputError(f"an error of {error:g} among {n_classes} classes has no bound")
    worst = (n_classes - 1) / n_classes
    return float(worst * (1 - np.sqrt(max(0.0, 1 - error / worst))))


def share_bound(wrong: int, n: int, n_classes: int) -> Estimate:
    """Return the greatest accuracy, where the nearest neighbour errs on `wrong` of n rows; its interval is that of the rows."""
    error = wilson(wrong, n)
    low, value, high = (1 - least_error(end, n_classes) for end in (error.high, error.value, error.low))
    return Estimate(value=value, low=low, high=high, standard_error=(high - low) / (2 * 1.96))


def mae_bound(numbers: Vector, partners: Vector) -> Estimate:
    """Return minus the least mean absolute error, from numbers (n,) and those of their nearest neighbours (n,); at most 0."""
    noise = mean_interval((np.asarray(numbers, dtype=np.float64) - partners) ** 2 / 2)
    ends = [-float(np.sqrt(2 / np.pi * max(variance, 0.0))) for variance in (noise.high, noise.value, noise.low)]
    return Estimate(value=ends[1], low=ends[0], high=ends[2], standard_error=(ends[2] - ends[0]) / (2 * 1.96))
