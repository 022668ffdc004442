"""Changes of table cells: numbers moved within their spread, categories drawn anew, cells taken away."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from tilth.core.arrays import IntVector, Vector

__all__ = ["atom_of", "drawn_otherwise", "moved", "normals", "spread_of"]

_LEAST = 2.0**-53
FEWEST_FOR_ATOM = 5
NORMAL_QUARTILES = 1.3489795003921634
"""Distance of the quartiles of a standard normal."""


def spread_of(values: Vector) -> float:
    """Return the spread of numbers: their quartiles' distance as a standard deviation, or that itself where it is 0; (n,) -> >= 0.

    Examples
    --------
    >>> round(spread_of(np.arange(101.0)), 2)
    37.07
    """
    if not len(values):
        return 0.0
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / NORMAL_QUARTILES if high > low else float(np.std(values))


def atom_of(values: Vector) -> float | None:
    """Return the value that more than half of the numbers have; None where there is none, or fewer than five numbers; (n,).

    Examples
    --------
    >>> atom_of(np.array([0.0, 0.0, 0.0, 0.0, 7.0])), atom_of(np.arange(5.0))
    (0.0, None)
    """
    if len(values) < FEWEST_FOR_ATOM:
        return None
    middle = float(np.median(values))
    return middle if 2 * np.count_nonzero(values == middle) > len(values) else None


def normals(uniforms: Vector) -> Vector:
    """Return standard normal numbers from uniform ones by the inverse distribution; (n,) -> (n,)."""
    return np.asarray(ndtri(np.clip(uniforms, _LEAST, 1 - _LEAST)))


def moved(values: Vector, steps: Vector, low: float, high: float) -> Vector:
    """Return numbers moved by steps, inside of [low, high] unless they were outside; whole numbers stay whole.

    Parameters
    ----------
    values : (n,) finite
    steps : (n,) in the unit of the values
    low, high : least and greatest value that is usual

    Returns
    -------
    (n,)

    Examples
    --------
    >>> moved(np.array([1.0, 5.0, 9.0]), np.array([-3.0, 0.7, 0.4]), 0.0, 9.0).tolist()
    [0.0, 6.0, 9.0]
    """
    is_whole = bool(len(values)) and bool((values == np.rint(values)).all())
    after = values + (np.rint(steps) if is_whole else steps)
    return np.asarray(np.clip(after, np.minimum(low, values), np.maximum(high, values)))


def drawn_otherwise(codes: IntVector, shares: Vector, uniforms: Vector) -> IntVector:
    """Return another category per row, drawn by the shares of all others; (n,), (k,), (n,) -> (n,).

    Rows keep their category where it is the only one. A code of -1 is a category that has no share.

    Examples
    --------
    >>> drawn_otherwise(np.array([0, 1]), np.array([0.5, 0.25, 0.25]), np.array([0.6, 0.1])).tolist()
    [2, 0]
    """
    own = np.where(codes >= 0, shares[codes], 0.0)
    left = shares.sum() - own
    ends = np.cumsum(shares)
    target = uniforms * left
    begins = np.where(codes >= 0, ends[codes] - shares[codes], np.inf)
    target = np.where(target >= begins, target + own, target)
    found = np.searchsorted(ends, target, side="right")
    found = np.minimum(found, len(shares) - 1)
    return np.asarray(np.where((left > 0) & (found != codes), found, codes), dtype=np.intp)
