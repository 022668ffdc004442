"""Exact nearest neighbours, pairs within a radius, and what the neighbours' labels say.

    cosine:     d(x, y) = 1 - x.y / (|x| |y|) = |x / |x| - y / |y||^2 / 2      in [0, 2]
    euclidean:  d(x, y) = |x - y|

A blocked float32 product finds candidates with a proven rounding bound; only they are measured, in float64
and by differences. Identical rows are searched once, so that ten thousand copies cost no more than one.

Source: Cover, Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Information Theory 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, UsageError
from tilth.numerics._close_pairs import pairs_within
from tilth.numerics._nearest import Distinct, nearest_of
from tilth.numerics._rows import Features, Frame, Metric, Space, checked, identical_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Matrix

__all__ = ["Neighbours", "identical_rows", "k_nearest", "neighbour_votes", "pairs_within", "without_self"]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest rows of each query, nearest first; equal distances by lower position."""

    positions: NDArray[np.intp]
    """(n, k) positions in the searched features."""
    distances: Matrix
    """(n, k) in the metric's unit, rising along each row."""
    exact: bool = True
    """Whether no nearer row can have been missed; see `numerics.near_cells`."""


def k_nearest(
    features: Features,
    k: int,
    *,
    queries: Features | None = None,
    metric: Metric = "cosine",
    exclude_self: bool,
) -> Neighbours:
    """Find the k nearest rows of every row, or of every query.

    Exact, and the same to the last bit whatever the blocks and threads. Time O(q n d) in a float32 product;
    memory: one float32 copy of the features (and queries), the answer, and about 50 MB of work space.
    Where thousands of rows are at one distance, as sparse rows without a common column are, all of them are measured:
    another O(d) each.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers, float32 or float64; the rows that are searched.
    k : int
        Neighbours per query, >= 1. Where there are fewer rows, all of them are returned.
    queries : array, (q, d), optional
        Rows whose neighbours are sought; by default the features themselves.
    metric : {"cosine", "euclidean"}
        Cosine by default, which is what most encoders are trained for. Rows of zeros are at distance 0 from
        each other and 1 from others.
    exclude_self : bool
        Whether a row is barred from being its own neighbour; its copies are not. Only without queries.

    Returns
    -------
    Neighbours
        Positions and distances, (q, min(k, rows that may be neighbours)), in the order of the queries.

    Raises
    ------
    UsageError
        When k < 1, the metric is unknown, or queries are given with exclude_self.
    InputError
        When features or queries are not matrices of finite numbers of one width.

    Randomness
    ----------
    None.

    Source
    ------
    Cover, Hart (1967), Nearest neighbor pattern classification; for the rounding bound Higham (2002),
    Accuracy and Stability of Numerical Algorithms, section 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.array([[0.0], [1.0], [3.0]])
    >>> k_nearest(line, 1, metric="euclidean", exclude_self=True).positions.ravel()
    array([1, 0, 1])
    """
    if k < 1:
        raise UsageError(f"k is {k}: at least one neighbour is needed", next_step="give k >= 1")
    if exclude_self and queries is not None:
        raise UsageError("queries are not among the searched rows", next_step="give exclude_self=False with queries")
    rows = checked(features, metric)
    asked = rows if queries is None else checked(queries, metric)
    _same_width(rows, asked)
    width = min(k + exclude_self, len(rows))
    if width == 0 or len(asked) == 0:
        return Neighbours(np.empty((len(asked), width), dtype=np.intp), np.empty((len(asked), width)))
    found = _search(rows, asked, width, metric)
    return without_self(found) if exclude_self else found


def _same_width(rows: Features, asked: Features) -> None:
    if rows.shape[1] != asked.shape[1]:
        raise InputError(
            f"queries have {asked.shape[1]} columns, features {rows.shape[1]}",
            next_step="encode both with the same encoder",
        )


def _search(rows: Features, asked: Features, width: int, metric: Metric) -> Neighbours:
    """Search distinct rows for distinct queries, then spread the answers to all copies."""
    targets = Distinct.of(rows)
    sources = targets if asked is rows else Distinct.of(asked)
    frame = Frame.around(metric, targets.rows, sources.rows)
    there = Space.of(targets.rows, frame)
    here = there if sources is targets else Space.of(sources.rows, frame)
    positions = np.empty((len(here), width), dtype=np.intp)
    distances = np.empty((len(here), width))
    for filled, found, measured in nearest_of(here, there, targets, width):
        positions[filled], distances[filled] = found, measured
    return Neighbours(positions[sources.group], distances[sources.group])


def without_self(found: Neighbours, own: IntVector | None = None) -> Neighbours:
    """Drop each row from its own list, or the last entry where copies crowded it out; `own` (n,): where each row stands."""
    n, width = found.positions.shape
    dropped = found.positions == (np.arange(n) if own is None else own)[:, None]
    dropped[~dropped.any(axis=1), -1] = True
    shape = (n, width - 1)
    return Neighbours(found.positions[~dropped].reshape(shape), found.distances[~dropped].reshape(shape))


def neighbour_votes(neighbours: Neighbours, labels: IntVector, n_classes: int, weights: Matrix | None = None) -> Matrix:
    """Distribution of the labels of each row's neighbours.

    Time O(n k), memory O(n n_classes).

    Parameters
    ----------
    neighbours : Neighbours
        From `k_nearest`; n rows, k neighbours.
    labels : IntVector, (rows searched,)
        Class number of every searched row, in [0, n_classes). Of a row without a label any number, with
        weight 0.
    n_classes : int
        Number of classes, >= 1.
    weights : Matrix, (n, k), optional
        Say of each neighbour, >= 0; 1 by default. `labelled[neighbours.positions]` silences rows without a
        label.

    Returns
    -------
    Matrix, (n, n_classes)
        Rows sum to 1, or to 0 where no neighbour has a say.

    Raises
    ------
    UsageError
        When a label of a neighbour is out of range, or weights are negative, not finite or of another shape.

    Randomness
    ----------
    None.

    Source
    ------
    Dudani (1976), The distance-weighted k-nearest-neighbor rule, IEEE Trans. Systems, Man, and Cybernetics 6.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.array([[0.0], [1.0], [3.0]])
    >>> found = k_nearest(line, 2, metric="euclidean", exclude_self=True)
    >>> neighbour_votes(found, np.array([0, 1, 1]), 2)
    array([[0. , 1. ],
           [0.5, 0.5],
           [0.5, 0.5]])
    """
    n, k = neighbours.positions.shape
    say = np.ones((n, k)) if weights is None else np.asarray(weights, dtype=np.float64)
    if say.shape != (n, k) or not (np.isfinite(say) & (say >= 0)).all():
        raise UsageError(
            f"weights must be finite, >= 0 and of shape {(n, k)}", next_step="give one weight per neighbour"
        )
    given = np.where(say > 0, labels[neighbours.positions], 0)
    if n_classes < 1 or (given.size and (given.min() < 0 or given.max() >= n_classes)):
        raise UsageError(f"labels reach beyond {n_classes} classes", next_step="number the classes from 0")
    cells = np.arange(n)[:, None] * n_classes + given
    votes = np.bincount(cells.ravel(), weights=say.ravel(), minlength=n * n_classes).astype(np.float64)
    votes = votes.reshape(n, n_classes)
    total = votes.sum(axis=1, keepdims=True)
    np.divide(votes, total, out=votes, where=total > 0)
    return votes
