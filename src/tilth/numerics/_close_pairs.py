"""All pairs of rows within a radius."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, UsageError
from tilth.numerics._pairs import Pairs, chunks, hits, sorted_pairs
from tilth.numerics._rows import FLOOR, HITS, STRIP, Features, Frame, Metric, Space, checked, rounded_up

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Vector

__all__ = ["pairs_within"]


def pairs_within(
    features: Features,
    radius: float,
    metric: Metric = "cosine",
    *,
    left: Mask | None = None,
    right: Mask | None = None,
    max_pairs: int = 5_000_000,
) -> tuple[Pairs, Vector]:
    """Find all pairs of rows at most `radius` apart, within one set or between two.

    Exact and independent of blocks, like `k_nearest`; the same memory, plus the pairs. Copies make the
    square of their number in pairs: search `identical_rows` first, and pairs among first copies only.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers; any numeric columns, scaled as the caller sees fit.
    radius : float
        Largest distance of a pair, >= 0, in the metric's unit; a pair at exactly the radius counts.
    metric : {"cosine", "euclidean"}
        As in `k_nearest`.
    left, right : Mask, (n,), optional
        Groups, such as the train and the test rows: a pair needs one row of each. By default every row is
        in both.
    max_pairs : int
        Refuse to return more; 5 million pairs hold 120 MB.

    Returns
    -------
    pairs : array, (m, 2)
        Positions i < j, each pair once, in rising order.
    distances : Vector, (m,)
        In the order of the pairs.

    Raises
    ------
    UsageError
        When the radius is negative or not a number, or the metric is unknown.
    InputError
        When features are not finite, a mask has another length, or more than max_pairs pairs are found.

    Randomness
    ----------
    None.

    Source
    ------
    Higham (2002), Accuracy and Stability of Numerical Algorithms, section 3.1 (the rounding bound).

    Examples
    --------
    >>> import numpy as np
    >>> pairs_within(np.array([[0.0], [1.0], [3.0]]), 1.5, "euclidean")[0]
    array([[0, 1]])
    """
    if not radius >= 0:
        raise UsageError(f"radius is {radius}", next_step="give a radius >= 0")
    rows = checked(features, metric)
    space = Space.of(rows, Frame.around(metric, rows))
    starts = _members(left, len(rows))
    ends = _members(right, len(rows))
    one_set = left is None and right is None
    here = space if one_set else space.take(starts)
    there = space if one_set else space.take(ends)
    found = _close_pairs(here, there, starts, ends, radius, one_set, max_pairs)
    return sorted_pairs(*found, n=len(rows))


def _members(mask: Mask | None, n: int) -> IntVector:
    if mask is None:
        return np.arange(n)
    if len(mask) != n:
        raise InputError(f"a mask covers {len(mask)} rows, the features {n}", next_step="give one value per row")
    return np.flatnonzero(mask)


def _close_pairs(
    here: Space,
    there: Space,
    starts: IntVector,
    ends: IntVector,
    radius: float,
    one_set: bool,
    max_pairs: int,
) -> tuple[IntVector, IntVector, Vector]:
    """Measure every pair that the bounds cannot rule out; within one set only towards later rows."""
    unit = 2.0 * radius if here.frame.metric == "cosine" else (radius * here.frame.unit) ** 2
    found, total = [(starts[:0], ends[:0], np.empty(0))], 0
    for part in chunks(len(here), max(1, STRIP // max(len(there), 1))):
        begin = part.start if one_set else 0
        limit = rounded_up(unit * (1.0 + 1e-9) - (1.0 - here.slack) * here.squares[part] + FLOOR)
        near = here.lower_bounds(part, there, begin) <= limit[:, None]
        for row, column in hits(np.triu(near, 1) if one_set else near, HITS):
            row, column = row + part.start, column + begin
            distances = here.distances(row, there, column)
            close = distances <= radius
            found.append((starts[row[close]], ends[column[close]], distances[close]))
            total += int(close.sum())
            _guard(total, max_pairs)
    lefts, rights, measures = zip(*found, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(measures)


def _guard(total: int, max_pairs: int) -> None:
    if total > max_pairs:
        raise InputError(
            f"more than {max_pairs} pairs lie within the radius",
            next_step="fold copies together with identical_rows, or give a smaller radius",
        )
