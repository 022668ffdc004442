"""Rows on the principal axes of a design: one matrix, or, where that would be large, turned anew block by block.

Scores are linear in the features, so that a fit needs no turned row: scores are x (B w) less what the mean has, and a gradient by
features is turned once it is summed. A million rows then take no room beside their float32 features.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MOST_HELD",
    "OnAxes",
    "Turned",
    "in_single_precision",
    "pieces",
    "principal_axes",
    "pulled_back",
    "scored",
    "turned",
]

MOST_HELD = 1 << 24
"""Numbers up to which rows on their axes are held: 128 MB in float64."""
_BLOCK_NUMBERS = 1 << 17
"""Numbers of rows that are turned to float64 at once: 1 MB, which stays in the cache."""
_PIECE_ROWS = 8_192


@dataclass(frozen=True, slots=True)
class Turned:
    """Rows (n, d) that stand for (features - mean) @ basis, (n, a), which is never made as a whole."""

    features: NDArray[np.floating[Any]]
    mean: Vector
    basis: Matrix
    rows: IntVector | None = None
    """Positions in the features, None = all of them."""
    precision: type[np.floating[Any]] = np.float64
    """Of the products with these rows."""

    @property
    def ndim(self) -> int:
        """Two: rows and axes."""
        return 2

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and axes."""
        return len(self), self.basis.shape[1]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.features) if self.rows is None else len(self.rows)

    def __getitem__(self, rows: IntVector) -> Turned:
        """Return some of the rows; no features are copied."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def blocks(self, n_rows: int = 0) -> Iterator[tuple[slice, Matrix]]:
        """Yield the places and the (m, d) features of consecutive rows, in the precision of the products."""
        step = n_rows or max(1, _BLOCK_NUMBERS // max(len(self.mean), 1))
        for first in range(0, len(self), step):
            some = slice(first, first + step)
            yield some, self.features[some if self.rows is None else self.rows[some]].astype(self.precision, copy=False)


def principal_axes(features: NDArray[np.floating[Any]]) -> tuple[Vector, Matrix, Vector]:
    """Return the mean (d,) of features (n, d), their axes (d, d) as columns, and the variances along these (d,), ascending.

    A block of rows at a time; raises InputError where a number is missing or infinite.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    if not np.isfinite(mean).all():
        where = f"column {int(np.flatnonzero(~np.isfinite(mean))[0])}"
        raise InputError("features hold missing or infinite numbers", where=where)
    gram = np.zeros((len(mean), len(mean)))
    for first in range(0, len(features), _PIECE_ROWS):
        block = features[first : first + _PIECE_ROWS] - mean
        gram += block.T @ block
    variances, basis = np.linalg.eigh(gram / len(features))
    return mean, basis, variances


def turned(features: NDArray[np.floating[Any]], mean: Vector, basis: Matrix) -> Matrix:
    """Return the coordinates of rows (n, d) on axes (d, a), (n, a) float64; a block of rows at a time."""
    found = np.empty((len(features), basis.shape[1]))
    for first in range(0, len(features), _PIECE_ROWS):
        rows = slice(first, first + _PIECE_ROWS)
        np.matmul(features[rows] - mean, basis, out=found[rows])
    return found


OnAxes = Matrix | Turned
"""(n, a) coordinates of rows."""


def in_single_precision(rows: OnAxes) -> OnAxes:
    """Return the same rows for products in float32, which take half of the time; (n, a) -> (n, a)."""
    return replace(rows, precision=np.float32) if isinstance(rows, Turned) else rows.astype(np.float32)


def scored(rows: OnAxes, coefficients: Matrix) -> Matrix:
    """Return the products of rows (n, a) and coefficients (a, k), as (k, n)."""
    if not isinstance(rows, Turned):
        return np.asarray(coefficients.T.astype(rows.dtype, copy=False) @ rows.T, dtype=np.float64)
    by_feature = np.ascontiguousarray((rows.basis @ coefficients).T, dtype=rows.precision)
    scores = np.empty((len(by_feature), len(rows)))
    for some, features in rows.blocks():
        scores[:, some] = by_feature @ features.T
    scores -= (by_feature @ rows.mean)[:, None]
    return scores


def pulled_back(rows: OnAxes, residual: Matrix) -> Matrix:
    """Return the products of residuals (k, n) and rows (n, a), as (k, a)."""
    if not isinstance(rows, Turned):
        return np.asarray(residual.astype(rows.dtype, copy=False) @ rows, dtype=np.float64)
    total = np.zeros((len(residual), len(rows.mean)))
    for some, features in rows.blocks():
        total += residual[:, some].astype(rows.precision, copy=False) @ features
    total -= np.outer(residual.sum(axis=1), rows.mean)
    return np.asarray(total @ rows.basis, dtype=np.float64)


def pieces(rows: OnAxes) -> Iterator[tuple[int, Matrix]]:
    """Yield the first position and the (m, a) coordinates of consecutive rows; a matrix comes in one piece."""
    if not isinstance(rows, Turned):
        yield 0, rows
        return
    for some, features in rows.blocks(_PIECE_ROWS):
        yield some.start, (features - rows.mean) @ rows.basis
