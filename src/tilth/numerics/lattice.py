"""Lattice: all conjunctions of values of a few features, searched exactly for those whose rows are worst off.

    worth(S) = mean loss in S - mean loss outside - z_d s sqrt(N / (n (N - n)))        n of N rows, s = spread of all losses

The worth is a lower confidence bound on how much worse S is than the rest, with z_d from the number of conjunctions of d
conditions that were searched: it favours neither the handful of rows that chance made bad, nor the crowd that is a little
worse. Conjunctions of too few rows are left out, and so is, without being counted, every conjunction that cannot reach the
worth of those found already: none of its rows can hold more loss than the least that one of its parts holds.

A conjunction counts only if it is worse than each of its parts by more than chance: than rows that fulfil the same conditions
less one, or less two.

Source: Sagadeeva, Boehm (2021), SliceLine: fast, linear-algebra-based slice finding for ML model debugging, SIGMOD (pruning by
rows and by a bound on the score); Chung et al. (2019), Slice Finder, ICDE (the test against the rest).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Mask, Vector
from tilth.numerics.distributions import normal_point
from tilth.numerics.joint_counts import Counted

__all__ = ["Conjunction", "Counts", "Objective", "Searched", "Thin", "search"]

MOST_CONDITIONS = 3
Thin = Callable[[tuple[int, ...], NDArray[np.intp], Vector], NDArray[np.intp]]
"""Features, (c, d) places of cells and (c,) their worth -> which of them to keep."""


class Counts(Protocol):
    """Joint counts of rows by features: `JointCounts`, or those of ranges."""

    sizes: tuple[int, ...]
    losses: Vector

    def of(self, features: tuple[int, ...]) -> Counted:
        """Return the joint counts of some features, ascending."""
        ...


class Objective(Protocol):
    """What the search maximises."""

    def worth(self, rows: NDArray[np.int64], losses: Vector, depth: int) -> Vector:
        """Return the worth of groups of rows that hold so much loss; only a positive worth is of interest."""
        ...

    def bound(self, losses: float, depth: int) -> float:
        """Return the most that a group of conditions can be worth which holds at most so much loss; it grows with it."""
        ...


class Conjunction(NamedTuple):
    """Rows that have certain values of certain features.

    Parameters
    ----------
    features, values : (d,) which features, ascending, and which of their values
    rows : number of rows
    losses : sum of their losses
    worth : by the objective
    """

    features: tuple[int, ...]
    values: tuple[int, ...]
    rows: int
    losses: float
    worth: float


class Searched(NamedTuple):
    """What a search found, best first, and how many conjunctions of 1, 2 and 3 conditions have rows enough (at most)."""

    found: list[Conjunction]
    sizes: tuple[int, ...]


def search(
    counts: Counts,
    objective: Callable[[tuple[int, ...]], Objective],
    *,
    depth: int = 2,
    least_rows: int = 30,
    most: int = 1000,
    refine: float | None = 0.05,
    thin: Thin | None = None,
) -> Searched:
    """Return the conjunctions of at most `depth` conditions that are worth most, exactly.

    O(n f^d) time for f features where nothing can be pruned, O(n + f^2 v^2) memory for v values of each.

    Parameters
    ----------
    counts : joint counts of n rows by f features, and their losses
    objective : what to maximise, made from the number of conjunctions of 1 … depth conditions
    depth : most conditions, 1 to 3
    least_rows : rows of a conjunction at least
    most : conjunctions to return at most; only those of positive worth
    refine : chance that a part which is bad in itself gets any refinement that is no worse than it; None for no such test
    thin : which of the cells of one table to keep, where many say nearly the same; None keeps all

    Returns
    -------
    Searched
        Most worth first; a tie goes to fewer conditions, then to earlier features and values.

    Randomness
    ----------
    None.

    Source
    ------
    Sagadeeva, Boehm (2021), SliceLine, SIGMOD.

    Examples
    --------
    >>> from tilth.numerics.joint_counts import JointCounts
    >>> from tilth.numerics.lower_bound import LowerBound
    >>> sex, age = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 1, 1, 0, 0, 1, 1])
    >>> losses = np.array([0, 0, 0, 0, 0, 0, 1.0, 1.0])
    >>> counts = JointCounts([sex.astype(np.uint16), age.astype(np.uint16)], [2, 2], losses)
    >>> bound = lambda sizes: LowerBound(losses, (0.1,) * len(sizes), 2)
    >>> search(counts, bound, least_rows=2, refine=0.5).found[0][:4]
    ((0, 1), (1, 1), 2, 2.0)
    """
    space = _Space(counts, min(depth, MOST_CONDITIONS, len(counts.sizes)), least_rows)
    judge = objective(space.sizes)
    best = _Best(most)
    for number in range(1, space.depth + 1):
        for features, counted, cells in space.tables(number, partial(_needed, judge, number, best, counts)):
            worth = judge.worth(counted.rows[cells], counted.losses[cells], number)
            chosen = np.flatnonzero(worth > best.floor)
            places = np.argwhere(cells)[chosen]
            if refine is not None and number > 1 and len(places):
                kept = space.is_refined(features, places, counted, refine)
                chosen, places = chosen[kept], places[kept]
            if thin is not None and len(places):
                few = thin(features, places, worth[chosen])
                chosen, places = chosen[few], places[few]
            best.take(features, places, counted, worth[chosen])
    return Searched(best.ordered(), space.sizes)


def _needed(judge: Objective, depth: int, best: _Best, counts: Counts) -> float:
    """Return the loss that a group must hold, at least, for a worth above the floor, by halving; a little less to be sure."""
    if (depth, best.floor) not in best.needed:
        low, high = 0.0, float(counts.losses.sum())
        if not judge.bound(high, depth) > best.floor:
            return np.inf
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if judge.bound(middle, depth) > best.floor else (middle, high)
        best.needed[depth, best.floor] = low * (1 - 1e-9)
    return best.needed[depth, best.floor]


class _Best:
    """The conjunctions that are worth most."""

    def __init__(self, most: int) -> None:
        self.most, self.floor = most, 0.0
        self.found: list[Conjunction] = []
        self.needed: dict[tuple[int, float], float] = {}

    def take(self, features: tuple[int, ...], places: NDArray[np.intp], counted: Counted, worth: Vector) -> None:
        """Add the cells at some places of a table, (c, d), with their worth, (c,)."""
        for place, value in zip(places, worth, strict=True):
            at = tuple(int(v) for v in place)
            self.found.append(Conjunction(features, at, int(counted.rows[at]), float(counted.losses[at]), float(value)))
        if len(self.found) >= 2 * self.most:
            self._shorten()

    def ordered(self) -> list[Conjunction]:
        """Return them, most worth first."""
        self._shorten()
        return self.found

    def _shorten(self) -> None:
        self.found.sort(key=lambda one: (-one.worth, len(one.features), one.features, one.values))
        del self.found[self.most :]
        if len(self.found) == self.most:
            self.floor = max(0.0, self.found[-1].worth)


class _Space:
    """The conjunctions that have rows enough: which there are, and what they hold."""

    def __init__(self, counts: Counts, depth: int, least_rows: int) -> None:
        self.counts, self.depth, self.least_rows = counts, depth, least_rows
        self.starts = np.concatenate([[0], np.cumsum(counts.sizes)]).astype(np.intp)
        singles = [counts.of((f,)).rows >= least_rows for f in range(len(counts.sizes))]
        self.n_singles = int(sum(int(has.sum()) for has in singles))
        self.features = [f for f, has in enumerate(singles) if has.any()]
        self.linked = self._linked() if depth > 1 else np.zeros((0, 0), dtype=np.float64)
        """(v, v) 1 where two values have rows enough together."""
        sizes = [self.n_singles, int(self.linked.sum() / 2)]
        if depth == MOST_CONDITIONS:
            sizes.append(int((self.linked * self.common).sum() / 6))
        self.sizes = tuple(sizes[:depth])

    @cached_property
    def common(self) -> NDArray[np.float64]:
        """(v, v) how many values have rows enough with both."""
        return np.asarray(self.linked @ self.linked)

    def tables(self, number: int, needed: Callable[[], float]) -> Iterator[tuple[tuple[int, ...], Counted, Mask]]:
        """Yield features, their joint counts, and the cells that may matter; triples only where some cell may."""
        for features in combinations(self.features, number):
            if number == 3 and not self._may_matter(features, needed()):
                continue
            counted = self.counts.of(features)
            cells = counted.rows >= self.least_rows
            if cells.any():
                yield features, counted, cells

    def is_refined(self, features: tuple[int, ...], places: NDArray[np.intp], counted: Counted, level: float) -> Mask:
        """Return which cells are worse than each of their parts by more than chance, for all cells of a part together; (c,)."""
        rows, losses = counted.rows[tuple(places.T)], counted.losses[tuple(places.T)]
        fine = np.ones(len(places), dtype=bool)
        for fewer in range(1, len(features)):
            for kept in combinations(range(len(features)), fewer):
                part = self.counts.of(tuple(features[k] for k in kept))
                at = tuple(places[:, k] for k in kept)
                within = self.within(features, places, kept)
                fine &= _excess(rows, losses, part, at) >= normal_point(level / np.maximum(within, 1))
        return fine

    def within(self, features: tuple[int, ...], places: NDArray[np.intp], kept: tuple[int, ...]) -> Vector:
        """Return how many conjunctions of as many conditions lie within a part of each cell, at most; (c,)."""
        ends = [self.starts[features[k]] + places[:, k] for k in kept]
        if len(features) == 2:
            return np.asarray(self.linked[ends[0]].sum(axis=1))
        if len(kept) == 2:
            return np.asarray(self.common[ends[0], ends[1]])
        return np.asarray((self.linked[ends[0]] * self.common[ends[0]]).sum(axis=1) / 2)

    def _linked(self) -> NDArray[np.float64]:
        linked = np.zeros((int(self.starts[-1]), int(self.starts[-1])))
        for f, g in combinations(self.features, 2):
            has = self.counts.of((f, g)).rows >= self.least_rows
            at = np.s_[self.starts[f] : self.starts[f + 1], self.starts[g] : self.starts[g + 1]]
            linked[at] = has
        return linked + linked.T

    def _may_matter(self, features: tuple[int, ...], needed: float) -> bool:
        """Whether some cell may have rows enough and hold the loss that is needed: each of its parts has and does."""
        f, g, h = features
        may = None
        for pair, spread in (((f, g), np.s_[:, :, None]), ((f, h), np.s_[:, None, :]), ((g, h), np.s_[None, :, :])):
            part = self.counts.of(pair)
            enough = ((part.rows >= self.least_rows) & (part.losses >= needed))[spread]
            may = enough if may is None else may & enough
        return bool(np.any(may)) if may is not None else False


def _excess(rows: NDArray[np.int64], losses: Vector, part: Counted, at: tuple[NDArray[np.intp], ...]) -> Vector:
    """Return by how many standard errors rows are worse than the part that they lie in: as a draw without putting back; (c,)."""
    n, total = part.rows[at].astype(np.float64), part.losses[at]
    squares = part.losses[at] if part.squares is None else part.squares[at]
    mean = total / n
    variance = np.maximum(squares / n - mean * mean, 0.0) * (1 / rows - 1 / n)
    gap = losses / rows - mean
    is_telling = (variance > 0) & (gap > 0) & (rows < n)
    return np.asarray(np.where(is_telling, gap / np.sqrt(np.where(is_telling, variance, 1.0)), -np.inf))
