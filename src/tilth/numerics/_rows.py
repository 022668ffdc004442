"""Rows of numbers in a metric space: exact distances, and float32 bounds that decide which of them are needed.

Squared distances come out of one float32 matrix product, which is fast but rounds. Every product of d terms is off by at most
about d * 2^-24 * (|x|^2 + |y|^2), so that a product gives a lower and an upper bound of the true squared distance. The
bounds pick candidates; only these are measured, in float64 and by differences. No answer therefore depends on
how the product was blocked or threaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError, UsageError
from tilth.numerics._pairs import chunks

__all__ = ["FLOOR", "Features", "Metric", "Space", "checked", "identical_rows", "slack"]

Features = NDArray[np.floating[Any]]
"""(n, d) floating point of any width: embeddings are float32, tables of numbers may be float64."""
Metric = Literal["cosine", "euclidean"]

EXACT_NUMBERS = 1 << 19
"""Numbers per side that one exact step holds: 4 MB in float64."""
FLOOR = 1e-30
"""Absolute slack of a squared distance, for products that underflow in float32; rows are scaled to length <= 1."""
HUGE = 1e150
"""Squares of larger numbers leave the range of float64."""


def slack(d: int) -> float:
    """Relative rounding slack of one float32 squared distance between rows of d numbers.

    The product contributes at most 2 (d + 1) units of 2^-24, the rounding of rows, squares and thresholds less than 8 more.
    """
    return 3.0 * (d + 16) * 2.0**-24


def checked(features: Features, metric: Metric) -> Features:
    """Return the rows as an (n, d) floating matrix, or say what is wrong with them."""
    if metric not in ("cosine", "euclidean"):
        raise UsageError(f"no metric {metric!r}", next_step="choose 'cosine' or 'euclidean'")
    rows = np.asarray(features)
    if not np.issubdtype(rows.dtype, np.floating):
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InputError(f"features have shape {rows.shape}, not (rows, columns)", next_step="give one row of numbers per row")
    for part in chunks(len(rows), max(1, EXACT_NUMBERS // rows.shape[1])):
        good = np.abs(rows[part]) < HUGE
        if not good.all():
            bad = part.start + np.flatnonzero(~good.all(axis=1))[:3]
            raise InputError(
                "features hold values that are missing, infinite or beyond 1e150",
                where=f"positions {', '.join(map(str, bad))}",
                next_step="impute or scale them first",
            )
    return rows


@dataclass(frozen=True, slots=True)
class Space:
    """Rows that can be measured exactly, and their float32 shadow.

    Cosine distance is half the squared Euclidean distance of rows scaled to length 1; a row of zeros has no direction: it is at distance 0
    from other such rows and 1 from all else, as if it pointed along an axis of its own.
    """

    rows: Features
    metric: Metric
    peak: Vector
    """(n,) largest magnitude of each row (1 for a row of zeros); keeps squares in range."""
    length: Vector
    """(n,) length of each row divided by its peak (1 for a row of zeros); cosine only."""
    is_zero: Mask
    shadow: FloatMatrix32
    """(n, d + 1): shifted and scaled rows, then (cosine) the axis of rows of zeros."""
    squares: Vector
    """(n,) squared lengths of the shadow's rows, before rounding."""
    scale: float
    """What a Euclidean distance is multiplied by to become one of the shadow."""

    @classmethod
    def of(cls, rows: Features, metric: Metric, frame: Space | None = None) -> Space:
        """Prepare the rows; `frame` lends its origin and unit, so that two sets can be compared."""
        return _prepare(rows, metric, frame)

    def take(self, positions: IntVector) -> Space:
        """Return the space of some of the rows (a copy)."""
        return Space(
            rows=self.rows[positions],
            metric=self.metric,
            peak=self.peak[positions],
            length=self.length[positions],
            is_zero=self.is_zero[positions],
            shadow=self.shadow[positions],
            squares=self.squares[positions],
            scale=self.scale,
        )
