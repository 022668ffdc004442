"""Changes of table cells: numbers moved within their spread, categories drawn anew, cells taken away."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.numerics.neighbours import k_nearest

__all__ = [
    "atom_of",
    "drawn_nearby",
    "drawn_otherwise",
    "mixed",
    "moved",
    "noise_of",
    "normals",
    "numbers_in",
    "spread_of",
]

_LEAST = 2.0**-53
_AT_ONCE = 1_024
FEWEST_FOR_ATOM = 5
_EXACT = 1e-9
"""Share of the spread below which a column is computed from the others: that says nothing of its noise."""
NORMAL_QUARTILES = 1.3489795003921634
"""Distance of the quartiles of a standard normal."""


def numbers_in(cells: pa.Array) -> Vector:
    """Return number cells as floats, NaN where one is missing; n cells -> (n,)."""
    return np.asarray(cells.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)


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


def mixed(values: Vector, others: Vector, amounts: Vector, *, is_whole: bool = False) -> Vector:
    """Return numbers moved towards others by shares of the way, rounded where they are whole; (n,), (n,), (n,) -> (n,).

    Examples
    --------
    >>> mixed(np.array([0.0, 4.0]), np.array([10.0, 4.0]), np.array([0.25, 0.5])).tolist()
    [2.5, 4.0]
    """
    after = values + amounts * (others - values)
    return np.asarray(np.rint(after) if is_whole else after)


def noise_of(values: Matrix) -> Vector:
    """Return the noise of each column: what the other columns leave open, by near rows or by a straight line, the lesser.

        by near rows:  spread of (x_ij − x_lj) / √2,   l = the row nearest to i by all columns but j
        by a line:     spread of the residuals of x_j on the other columns

    Near rows see what bends, a line what hides among many columns. What other columns tell of a column is no noise. Rows that miss the
    column are left out, and copies of rows count once. O(m² d²).

    Parameters
    ----------
    values : (m, d) numbers, NaN where one is missing

    Returns
    -------
    Vector
        (d,) standard deviations, at least 0; the column's own spread where there is no other column, or where nothing can be said

    Examples
    --------
    >>> x = np.linspace(0, 100, 200)
    >>> told, free = noise_of(np.column_stack([x, 2 * x + np.sin(9 * x), np.arange(200) * 37 % 101]))[[0, 2]]
    >>> bool(told < 1), bool(free > 20)
    (True, True)
    """
    n_columns = values.shape[1]
    spreads = np.array([spread_of(column[np.isfinite(column)]) for column in values.T])
    if n_columns < 2:
        return spreads
    middles = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0 for column in values.T]
    scaled = np.where(np.isfinite(values), (values - middles) / np.where(spreads > 0, spreads, 1.0), 0.0)
    return np.array([_noise_of_one(values[:, j], np.delete(scaled, j, axis=1), spreads[j]) for j in range(n_columns)])


def _noise_of_one(values: Vector, others: Matrix, spread: float) -> float:
    there = np.isfinite(values)
    both = np.unique(np.column_stack([values, others])[there], axis=0)
    if len(both) < FEWEST_FOR_ATOM:
        return spread
    near = k_nearest(both[:, 1:], 1, metric="euclidean", exclude_self=True).positions[:, 0]
    design = np.column_stack([both[:, 1:], np.ones(len(both))])
    residuals = both[:, 0] - design @ np.linalg.lstsq(design, both[:, 0], rcond=None)[0]
    found = [
        spread_of(both[:, 0] - both[near, 0]) / np.sqrt(2),
        spread_of(residuals) if len(both) > 2 * design.shape[1] else 0,
    ]
    return float(min([one for one in found if one > _EXACT * spread] + [spread]))


def drawn_nearby(
    codes: IntVector, others: np.ndarray, known: IntVector, known_others: np.ndarray, uniforms: Vector, fewest: int
) -> IntVector:
    """Return another category per row, drawn from the near known rows that have another; (n,) -> (n,).

    Near are the known rows that differ in the fewest other columns: as many levels of difference are taken in as hold `fewest` rows of any
    category. A row stays as it is where all near rows have its category: others tell it. With no other column all rows are near.
    O(n m c) time.

    Parameters
    ----------
    codes : (n,) the rows' categories; -1 for one that is not known
    others : (n, c) codes of the rows' other columns
    known, known_others : (m,), (m, c) the same of known rows, all codes at least 0 but where a cell is missing
    uniforms : (n,) in [0, 1)
    fewest : near rows that are wanted at least

    Returns
    -------
    IntVector
        (n,) codes; the own one where no near row has another

    Examples
    --------
    >>> known, city = np.array([0, 1, 2, 2]), np.array([[0], [0], [1], [1]])
    >>> drawn_nearby(np.array([0, 2]), np.array([[0], [1]]), known, city, np.array([0.9, 0.9]), 2).tolist()
    [1, 2]
    """
    found = codes.copy()
    if not len(known):
        return found
    for start in range(0, len(codes), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        is_other = (known != codes[part, None]) & (known >= 0)
        gaps = np.zeros(is_other.shape, dtype=np.int16)
        for column in range(others.shape[1]):
            gaps += others[part, column, None] != known_others[None, :, column]
        limit = np.partition(gaps, min(fewest, len(known)) - 1, axis=1)[:, min(fewest, len(known)) - 1]
        near = is_other & (gaps <= limit[:, None])
        rank = (uniforms[part] * near.sum(axis=1)).astype(np.intp)
        at = (np.cumsum(near, axis=1) > rank[:, None]).argmax(axis=1)
        found[part] = np.where(near.any(axis=1), known[at], codes[part])
    return found
