"""Lower bound: how much worse a group surely is than the rest, and the most that a group within another can be.

    worth(S) = mean loss in S - mean loss outside - z_d s sqrt(N / (n (N - n)))        n of N rows, s = spread of all losses

Source: Sagadeeva, Boehm (2021), SliceLine, SIGMOD, section 3 (the idea of the bound, there for another score).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Vector
from tilth.numerics.distributions import normal_point

__all__ = ["LowerBound"]


class LowerBound:
    """How much worse rows surely are than the rest: a lower confidence bound.

    Parameters
    ----------
    losses : (n,) of all rows, >= 0
    tails : per depth the chance that the bound may err by, one-sided
    least_rows, most_rows : rows of a group at least and at most

    Examples
    --------
    >>> bound = LowerBound(np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]), (0.5,), 2)
    >>> bound.worth(np.array([2]), np.array([2.0]), 1).tolist()
    [1.0]
    """

    def __init__(self, losses: Vector, tails: tuple[float, ...], least_rows: int, most_rows: int | None = None) -> None:
        self.n, self.total, self.least_rows = len(losses), float(losses.sum()), least_rows
        self.most_rows = self.n - 1 if most_rows is None else min(most_rows, self.n - 1)
        self.points = [float(normal_point(tail)) * float(losses.std()) for tail in tails]
        self.greatest = np.cumsum(np.sort(losses)[::-1])
        """(n,) the most that 1 … n rows can hold."""
        self._peaks: dict[int, Vector] = {}

    def worth(self, rows: NDArray[np.int64], losses: Vector, depth: int) -> Vector:
        """Return lower bounds on mean loss inside minus mean loss outside; of too many rows, or none, minus infinity."""
        n = np.clip(rows, 1, max(self.n - 1, 1)).astype(np.float64)
        rest = self.n - n
        gap = losses / n - (self.total - losses) / np.maximum(rest, 1)
        worth = gap - self.points[depth - 1] * np.sqrt(self.n / (n * np.maximum(rest, 1)))
        return np.asarray(np.where((rows > 0) & (rows <= self.most_rows), worth, -np.inf))

    def bound(self, losses: float, depth: int) -> float:
        """Return what no group that holds at most so much loss exceeds, where that is positive.

        With fewer rows than it takes to hold the losses, n rows hold at most the n greatest: the maximum over those n was
        computed beforehand. With more rows the worth falls where it is positive (its derivative in n is then negative), so
        that the fewest rows that can hold the losses, or that are enough, are the best case.
        """
        needed = int(np.searchsorted(self.greatest, losses * (1 - 1e-12))) + 1
        rows = np.array([min(max(needed, self.least_rows), self.most_rows)])
        if depth not in self._peaks:
            self._peaks[depth] = self._peak(depth)
        fewer = self._peaks[depth][min(needed, self.n) - 1]
        return max(float(fewer), float(self.worth(rows, np.array([losses]), depth)[0]))

    def _peak(self, depth: int) -> Vector:
        """Return (n,) the greatest worth of up to 1 … n rows, if they were the worst of all."""
        worth = self.worth(np.arange(1, self.n + 1), self.greatest, depth)
        worth[: self.least_rows - 1] = -np.inf
        return np.asarray(np.maximum.accumulate(worth))
