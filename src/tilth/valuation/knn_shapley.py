"""Exact Shapley values of rows for the nearest-neighbour classifier.

    worth of a set S to a reference row t:   v(S) = 1/k · #{of the k rows of S nearest to t: those with t's label}
    rows ordered by their distance to t, m_j = [row j has t's label], c_j = min(k, j) / (j k):
    s_i = m_i c_i - sum over j > max(i, k) of m_j / (j (j - 1))
    value of row i = mean of s_i over the reference rows

The Shapley value of a row is its mean gain in v over all orders in which the rows could have arrived. For this
classifier a sort replaces the 2^n sets. Values of all rows sum to the mean of v(all rows): its share of right votes.

Source: Jia, Dao, Wang, Hubis, Gurel, Li, Zhang, Spanos, Song (2019), Efficient task-specific data valuation for
nearest neighbor algorithms, VLDB 12, theorem 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import UsageError
from tilth.numerics.neighbours import identical_rows
from tilth.valuation._shared import (
    check_sides,
    deal_folds,
    labelled_rows,
    refuse_one_class,
    refuse_regression,
    row_draws,
    values_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import FloatMatrix32, IntVector, Vector
    from tilth.core.values import Values
    from tilth.operators.view import Scope, View

__all__ = ["KnnShapley", "knn_shapley"]

STRIP = 1 << 20
"""Distances held at once: 4 MB in float32, ten times that with their order and shares."""
LOW_HALF = np.uint64(0xFFFFFFFF)


def knn_shapley(
    features: NDArray[np.floating],
    labels: IntVector,
    references: NDArray[np.floating],
    reference_labels: IntVector,
    *,
    k: int = 10,
) -> tuple[Vector, Vector]:
    """Return the exact Shapley value of each row to k-nearest-neighbour votes on reference rows.

    Distances are Euclidean, in float32 around the mean of the features. Equal distances are taken in row order: exactly
    so for copies of a row and for small whole numbers; else distances whose squares differ by less than about 1e-6
    of the largest may come in either order. Cost: O(n m d + m n log n) time for m references; memory: one float32 copy
    of both, and about 40 MB (or 100 bytes per row, if that is more).

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers: the rows that are valued; n >= 1.
    labels : IntVector, (n,)
        Class numbers.
    references : array, (m, d)
        Finite numbers: the rows that the others vote on; m >= 1. A row that stands on both sides votes on itself.
    reference_labels : IntVector, (m,)
        Class numbers.
    k : int
        Neighbours that vote, >= 1; default 10. Fewer rows than k leave votes unused, which count as wrong.

    Returns
    -------
    values : Vector, (n,)
        In [-1/k, 1/k], in row order; they sum to the mean share of right votes of all rows.
    standard_errors : Vector, (n,)
        Of the values, over the draw of the reference rows; 1/k, which is more than it can be, for one reference.

    Raises
    ------
    UsageError
        When k < 1.
    InputError
        When there is no row, shapes do not fit, or numbers are not finite.

    Randomness
    ----------
    None.

    Source
    ------
    Jia et al. (2019), VLDB 12, theorem 1.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [3.0]])
    >>> knn_shapley(line, np.array([0, 0, 1]), np.array([[0.2]]), np.array([0]), k=1)[0].round(3).tolist()
    [0.5, 0.5, 0.0]
    """
    check_sides(features, labels, references, reference_labels)
    if k < 1:
        raise UsageError(f"k is {k}: at least one neighbour must vote", next_step="give k >= 1")
    sums, squares = _moments(features, labels, references, reference_labels, k)
    return _mean_and_error(sums, squares, np.full(len(labels), len(references)), k)


def _moments(
    features: NDArray[np.floating],
    labels: IntVector,
    references: NDArray[np.floating],
    reference_labels: IntVector,
    k: int,
) -> tuple[Vector, Vector]:
    """Sums over the references of each row's Shapley values and of their squares."""
    n = len(features)
    first_alike = identical_rows(features)
    copies = np.flatnonzero(first_alike != np.arange(n))
    here, there = _shadows(features, references)
    rank = np.arange(1, n + 1, dtype=np.float64)
    own = np.minimum(k, rank) / (k * rank)
    later = np.where(rank > k, 1.0 / (rank * np.maximum(rank - 1.0, 1.0)), 0.0)
    sums, squares = np.zeros(n), np.zeros(n)
    step = max(1, STRIP // n)
    for first in range(0, len(references), step):
        squared = there[first : first + step] @ here.T
        squared[:, copies] = squared[:, first_alike[copies]]
        order = _order(squared)
        right = labels[order] == reference_labels[first : first + step, None]
        shares = right * later
        np.cumsum(shares, axis=1, out=shares)
        shares -= shares[:, -1:].copy()
        shares += right * own
        sums += np.bincount(order.ravel(), weights=shares.ravel(), minlength=n)
        np.square(shares, out=shares)
        squares += np.bincount(order.ravel(), weights=shares.ravel(), minlength=n)
    return sums, squares


def _order(squared: FloatMatrix32) -> NDArray[np.int64]:
    """Positions by rising distance, ties by position; (b, n) -> (b, n).

    Bits of float32 numbers >= 0 rise with the numbers: with the position below them they make one whole number, and
    sorting those is stable and several times as fast as a stable sort of positions.
    """
    keys = np.abs(squared).view(np.uint32).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= np.arange(squared.shape[1], dtype=np.uint64)
    keys.sort(axis=1)
    keys &= LOW_HALF
    return keys.view(np.int64)


def _shadows(features: NDArray[np.floating], references: NDArray[np.floating]) -> tuple[FloatMatrix32, FloatMatrix32]:
    """Float32 factors (n, d + 2) and (m, d + 2) whose product holds squared distances.

    The origin is the mean, rounded to a power of two below the spread of one feature, and the unit another: small
    whole numbers then lose no digit, and their distances are exact.
    """
    origin = features.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.square(_lengths(features, origin)).mean() / features.shape[1])
    grain = _power_of_two(spread)
    origin = np.rint(origin / grain) * grain
    longest = max(_lengths(features, origin).max(), _lengths(references, origin).max())
    unit = 0.5 / _power_of_two(longest)
    here, there = (np.empty((len(rows), rows.shape[1] + 2), dtype=np.float32) for rows in (features, references))
    for part, rows in _parts(features):
        block = (rows - origin) * unit
        here[part, :-2], here[part, -2], here[part, -1] = block, np.square(block).sum(axis=1), 1.0
    for part, rows in _parts(references):
        block = (rows - origin) * unit
        there[part, :-2], there[part, -2], there[part, -1] = -2.0 * block, 1.0, np.square(block).sum(axis=1)
    return here, there


def _power_of_two(size: float) -> float:
    """The largest power of two that is not above a size; 1 for 0."""
    return float(2.0 ** np.clip(np.floor(np.log2(size)), -1000, 1000)) if size > 0 else 1.0


def _lengths(features: NDArray[np.floating], origin: Vector) -> Vector:
    return np.concatenate([np.sqrt(np.square(rows - origin).sum(axis=1)) for _, rows in _parts(features)])


def _parts(features: NDArray[np.floating]) -> list[tuple[slice, NDArray[np.floating]]]:
    step = max(1, STRIP // features.shape[1])
    parts = [slice(first, first + step) for first in range(0, len(features), step)]
    return [(part, features[part]) for part in parts]


def _mean_and_error(sums: Vector, squares: Vector, counts: IntVector, k: int) -> tuple[Vector, Vector]:
    """Means and their standard errors; (n,), (n,), (n,) -> (n,), (n,). Rows without a reference get 0."""
    values = sums / np.maximum(counts, 1)
    spread = np.maximum(squares - counts * np.square(values), 0.0) / np.maximum(counts - 1, 1)
    return values, np.where(counts > 1, np.sqrt(spread / np.maximum(counts, 1)), 1.0 / k)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnnShapley:
    """Value rows by their exact Shapley share in nearest-neighbour votes.

    Rows are valued against train rows of other folds, whose labels may be wrong themselves; labels of dev and test
    rows are in no view. Each fold in turn gives the reference rows, and the rows of all other folds are valued
    as the ones that vote; a row's value is its mean over all references outside its fold. Groups stand in one fold,
    and without a group column copies do. A negative value means that the row's votes harm more than they help. Cost:
    O(min(n, references) n (d + log n)) time, O(n d) memory; beyond `references` rows the mean is over a random
    part of them, and the standard errors say what that costs.

    Parameters
    ----------
    k : int
        Neighbours that vote, >= 1; default 10.
    folds : int
        Default 5: four fifths of the rows vote at a time.
    references : int
        Most rows that are used as references; default 5,000.

    Raises
    ------
    NotApplicable
        The label is a number, there is one class only, or all rows are copies of one row (or of one group).
    UsageError
        There are fewer than two folds.

    Randomness
    ----------
    The seed and the row ids decide the folds, and which rows are references where there are more.

    Source
    ------
    Jia et al. (2019), Efficient task-specific data valuation for nearest neighbor algorithms, VLDB 12.
    """

    k: int = 10
    folds: int = 5
    references: int = 5_000

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "embeddings", "groups"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def value(self, view: View) -> Values:
        """Return the value of each labelled row, with its standard error."""
        refuse_regression(view)
        rows = labelled_rows(view)
        labels, features = view.labels[rows], view.embeddings[rows]
        refuse_one_class(labels)
        folds = deal_folds(view, rows, features, self.folds)
        asked = np.zeros(len(rows), dtype=bool)
        asked[np.argsort(row_draws(view, rows, "references"), kind="stable")[: self.references]] = True
        sums, squares, counts = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows), dtype=np.intp)
        for fold in np.unique(folds[asked]):
            held, judges = folds != fold, asked & (folds == fold)
            found = _moments(features[held], labels[held], features[judges], labels[judges], self.k)
            sums[held] += found[0]
            squares[held] += found[1]
            counts[held] += np.count_nonzero(judges)
        values, errors = _mean_and_error(sums, squares, counts, self.k)
        unit = "mean share of right nearest-neighbour votes on other train rows; negative harms"
        return values_of(view, rows, values, unit=unit, errors=errors, known=counts > 0)
