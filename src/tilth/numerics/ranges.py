"""Ranges: the joint counts of all ranges of ordered values, from those of the values themselves.

    rows[a..b, w] = sum over a <= v <= b of rows[v, w]

A feature of v values of which the first o are ordered has o (o + 1) / 2 - 1 ranges of neighbours, the range of all of them left
out, and v - o other values. Ranges that begin or end with a value which no row has repeat others, and are left out. No row is
looked at again.

Source: definition; Fukuda, Morimoto, Morishita, Tokuyama (1996), Data mining using two-dimensional optimized association rules,
SIGMOD (searching all ranges through counts of bins).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Mask, Vector
from tilth.numerics.joint_counts import Counted, JointCounts

__all__ = ["RangeCounts"]

_KEPT_DEPTH = 2
"""Tables of more features are large, and asked for once."""


class RangeCounts:
    """Joint counts whose values are ranges.

    Parameters
    ----------
    counts : joint counts of values
    ordered : per feature how many of its first values are ordered

    Examples
    --------
    >>> codes = [np.array([0, 1, 1, 2, 3], dtype=np.uint16)]
    >>> ranges = RangeCounts(JointCounts(codes, [4], np.ones(5)), [3])
    >>> ranges.limits[0], ranges.of((0,)).rows.tolist()
    ([(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (3, 3)], [1, 3, 2, 3, 1, 1])
    """

    def __init__(self, counts: JointCounts, ordered: Sequence[int]) -> None:
        self.counts, self.losses = counts, counts.losses
        held = [counts.of((f,)).rows > 0 for f in range(len(counts.sizes))]
        self.limits = [_limits(has, first) for has, first in zip(held, ordered, strict=True)]
        """Per feature the first and the last value of each range."""
        self.sizes = tuple(len(ends) for ends in self.limits)
        self._sums = [_sums(tuple(ends), size) for ends, size in zip(self.limits, counts.sizes, strict=True)]
        self._made: dict[tuple[int, ...], Counted] = {}

    def of(self, features: tuple[int, ...]) -> Counted:
        """Return the joint counts of the ranges of some features, ascending."""
        if features in self._made:
            return self._made[features]
        counted = self.counts.of(features)
        squares = None if counted.squares is None else self._summed(counted.squares, features)
        rows = self._summed(counted.rows, features).astype(np.int64)
        made = Counted(rows, self._summed(counted.losses, features), squares)
        if len(features) <= _KEPT_DEPTH:
            self._made[features] = made
        return made

    def thinned(
        self, features: tuple[int, ...], places: NDArray[np.intp], worth: Vector, *, each: int = 20
    ) -> NDArray[np.intp]:
        """Return which cells of one table to keep: the best, and the best of each part of the table that no better one reaches.

        Parameters
        ----------
        features : of the table
        places : (c, d) cells
        worth : (c,) what they are worth
        each : how many of either kind
        """
        order = np.argsort(-worth, kind="stable")
        if len(order) <= each:
            return np.asarray(order)
        ends = np.stack([np.array(self.limits[f])[places[:, axis]] for axis, f in enumerate(features)], axis=1)
        kept, left = list(order[:each]), order
        for _ in range(each):
            best = left[0]
            kept.append(best)
            meets = (ends[left, :, 0] <= ends[best, :, 1]) & (ends[left, :, 1] >= ends[best, :, 0])
            left = left[~meets.all(axis=1)]
            if not len(left):
                break
        return np.unique(np.array(kept, dtype=np.intp))

    def _summed(self, table: np.ndarray, features: tuple[int, ...]) -> NDArray[np.float64]:
        """Sum over the ranges of each axis in turn; sums of whole multiples of the counts' units are exact."""
        summed = table.astype(np.float64)
        for axis, f in enumerate(features):
            summed = np.moveaxis(np.tensordot(self._sums[f], summed, axes=(1, axis)), 0, axis)
        return np.ascontiguousarray(summed)


def _limits(held: Mask, ordered: int) -> list[tuple[int, int]]:
    """Return the ranges of the first values, between those that some row has, and the other values one by one."""
    ends = np.flatnonzero(held[:ordered]).tolist()
    ranges = [(a, b) for a in ends for b in ends if a <= b and ((a, b) != (ends[0], ends[-1]) or len(ends) == 1)]
    return [*ranges, *((v, v) for v in range(ordered, len(held)))]


def _sums(limits: tuple[tuple[int, int], ...], size: int) -> NDArray[np.float64]:
    values = np.arange(size)
    return np.array([(values >= a) & (values <= b) for a, b in limits], dtype=np.float64).reshape(len(limits), size)
