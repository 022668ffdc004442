"""Rows of numbers in a metric space: exact distances, and float32 bounds that decide which are needed.

Squared distances come out of one float32 matrix product, which is fast but rounds. A product of d terms is
off by at most about d * 2^-24 * (|x|^2 + |y|^2): it bounds the true squared distance from below and above.
The bounds pick candidates; only these are measured, in float64 and by differences. No answer therefore
depends on how the product was blocked or threaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tilth.core.errors import InputError, UsageError
from tilth.numerics._pairs import chunks

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, FloatMatrix32, IntVector, Mask, Matrix, Vector

__all__ = [
    "FLOOR",
    "HITS",
    "STRIP",
    "Features",
    "Frame",
    "Metric",
    "Space",
    "checked",
    "identical_rows",
    "rounded_up",
    "row_hashes",
]

Features = NDArray[np.floating[Any]]
"""(n, d) floating point of any width: embeddings are float32, tables of numbers may be float64."""
Metric = Literal["cosine", "euclidean"]

EXACT_NUMBERS = 1 << 19
"""Numbers per side that one exact step holds: 4 MB in float64."""
STRIP = 1 << 23
"""Bounds held at once: 32 MB of float32, and 8 MB of mask."""
HITS = 1 << 17
"""Candidates measured at once: a few MB, also when all distances are tied."""
FLOOR = 1e-30
"""Absolute slack of a squared distance, for products that underflow in float32."""
HUGE = np.float64(1e150)
"""Squares of larger numbers leave the range of float64."""


def checked(features: Features, metric: Metric) -> Features:
    """Return the rows as an (n, d) floating matrix, or say what is wrong with them."""
    if metric not in ("cosine", "euclidean"):
        raise UsageError(f"no metric {metric!r}", next_step="choose 'cosine' or 'euclidean'")
    rows = np.asarray(features)
    if not np.issubdtype(rows.dtype, np.floating):
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InputError(
            f"features have shape {rows.shape}, not (rows, columns)",
            next_step="give one row of numbers per row",
        )
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
class Frame:
    """The origin and unit in which two sets of rows become comparable in float32."""

    metric: Metric
    origin: Vector
    unit: float

    @classmethod
    def around(cls, metric: Metric, *sets: Features) -> Frame:
        """Centre on the first set, so that a common offset costs no precision; no row is longer than 1."""
        width = sets[0].shape[1]
        if metric == "cosine" or len(sets[0]) == 0:
            return cls(metric, np.zeros(width), 1.0)
        origin = sets[0].mean(axis=0, dtype=np.float64)
        longest = max(float(_lengths(rows, origin).max(initial=0.0)) for rows in sets)
        return cls(metric, origin, 1.0 / longest if longest > 0 else 1.0)


@dataclass(frozen=True, slots=True)
class Space:
    """Rows that can be measured exactly, and their float32 shadow.

    Cosine distance is half the squared Euclidean distance of rows scaled to length 1. A row of zeros has no
    direction: it is at distance 0 from other such rows and 1 from all else, as if it pointed along an axis
    of its own.
    """

    rows: Features
    frame: Frame
    lengths: Vector
    """(n,) what an exact row is divided by: its length for cosine, else 1."""
    is_zero: Mask
    """(n,) rows without direction; cosine only."""
    shadow: FloatMatrix32
    """(n, d + 2): the row in the frame, the axis of rows of zeros, and the square for `lower_bounds`."""
    squares: Vector
    """(n,) squared lengths in the frame."""

    @classmethod
    def of(cls, rows: Features, frame: Frame) -> Space:
        """Prepare rows for measuring: O(n d) time, one float32 copy."""
        n, width = rows.shape
        lengths, is_zero = np.ones(n), np.zeros(n, dtype=np.bool_)
        if frame.metric == "cosine":
            lengths = _lengths(rows, np.zeros(width))
            is_zero = lengths == 0
            lengths[is_zero] = 1.0
        shadow = np.zeros((n, width + 2), dtype=np.float32)
        squares = np.empty(n)
        for part in _row_chunks(n, width):
            block = (rows[part] / lengths[part, None] - frame.origin) * frame.unit
            shadow[part, :width] = block
            squares[part] = np.square(block).sum(axis=1) + is_zero[part]
        shadow[:, width] = is_zero
        shadow[:, width + 1] = (1.0 - _slack(width)) * squares
        return cls(rows, frame, lengths, is_zero, shadow, squares)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def slack(self) -> float:
        """Relative slack of a bound; see `lower_bounds`."""
        return _slack(self.rows.shape[1])

    def take(self, positions: IntVector) -> Space:
        """Return the space of some of the rows (a copy)."""
        kept = (
            self.lengths[positions],
            self.is_zero[positions],
            self.shadow[positions],
            self.squares[positions],
        )
        return Space(self.rows[positions], self.frame, *kept)

    def lower_bounds(self, part: slice, other: Space, start: int = 0) -> FloatMatrix32:
        """Bound squared distances from the rows of `part` to the other rows from `start` on; (m, n - start).

        With S the true squared distance in the frame, a and b the squares and s the slack, the bounds L
        satisfy

            L - s a <= S - a <= L + s a + 2 s b        (FLOOR aside)
        """
        left = self.shadow[part] * np.float32(-2.0)
        left[:, -1] = 1.0
        return np.asarray(left @ other.shadow[start:].T, dtype=np.float32)

    def distances(self, left: IntVector, other: Space, right: IntVector) -> Vector:
        """Measure pairs exactly: in float64, by differences, the same both ways; (m,), (m,) -> (m,)."""
        squared = np.empty(len(left))
        for part in _row_chunks(len(left), self.rows.shape[1]):
            gap = self._exact(left[part])
            gap -= other._exact(right[part])
            squared[part] = np.square(gap, out=gap).sum(axis=1)
        if self.frame.metric == "euclidean":
            return np.sqrt(squared)
        squared += self.is_zero[left] != other.is_zero[right]
        return np.minimum(squared / 2.0, 2.0)

    def _exact(self, positions: IntVector) -> Matrix:
        block = self.rows[positions].astype(np.float64)
        if self.frame.metric == "cosine":
            block /= self.lengths[positions, None]
        return block


def identical_rows(features: Features) -> IntVector:
    """Position of the first row that is equal to each row, in every number (0.0 equals -0.0).

    Exact: rows are brought together by a hash and then compared. O(n d) time beyond a sort of n hashes.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers.

    Returns
    -------
    IntVector, (n,)
        At most the row's own position, which a row that has no earlier copy gets.

    Raises
    ------
    InputError
        When features are not a matrix of finite numbers.

    Randomness
    ----------
    None.

    Source
    ------
    Dietzfelbinger (1996), Universal hashing and k-wise independent random variables via integer arithmetic
    without primes, STACS.

    Examples
    --------
    >>> import numpy as np
    >>> identical_rows(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    array([0, 1, 0])
    """
    rows = checked(features, "euclidean")
    hashes = row_hashes(rows)
    first = np.arange(len(rows))
    pending = first.copy()
    while len(pending):
        _, heads, member = np.unique(hashes[pending], return_index=True, return_inverse=True)
        leader = pending[heads[member]]
        same = _equal_rows(rows, pending, leader)
        first[pending[same]] = leader[same]
        pending = pending[~same]
    return first


def rounded_up(limit: Vector) -> NDArray[np.float32]:
    """Turn limits into float32 ones that are no lower."""
    return np.nextafter(limit.astype(np.float32), np.float32(np.inf))


def _equal_rows(rows: Features, left: IntVector, right: IntVector) -> Mask:
    equal: Mask = left == right
    unsure = np.flatnonzero(~equal)
    for part in _row_chunks(len(unsure), rows.shape[1]):
        some = unsure[part]
        equal[some] = np.all(rows[left[some]] == rows[right[some]], axis=1)
    return equal


def row_hashes(rows: Features) -> Bits:
    """Return a 64-bit hash of each row's numbers: equal rows have equal ones, whatever their order."""
    n, width = rows.shape
    odd = np.random.default_rng(0).integers(0, 2**63, size=width, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    hashes = np.empty(n, dtype=np.uint64)
    for part in _row_chunks(n, width):
        words = (rows[part].astype(np.float64) + 0.0).view(np.uint64)
        words ^= words >> np.uint64(32)
        words *= odd
        hashes[part] = words.sum(axis=1, dtype=np.uint64)
    return hashes


def _lengths(rows: Features, origin: Vector) -> Vector:
    lengths = np.empty(len(rows))
    for part in _row_chunks(*rows.shape):
        block = rows[part] - origin
        peak = np.abs(block).max(axis=1, keepdims=True)
        block /= np.where(peak > 0, peak, 1.0)
        lengths[part] = peak[:, 0] * np.sqrt(np.square(block).sum(axis=1))
    return lengths


def _slack(width: int) -> float:
    """Rounding of one float32 squared distance, relative to |x|^2 + |y|^2.

    The product adds at most 2 (width + 2) units of 2^-24; rounding rows, squares and limits adds fewer than
    8.
    """
    return 3.0 * (width + 16) * 2.0**-24


def _row_chunks(n: int, width: int) -> list[slice]:
    return chunks(n, max(1, EXACT_NUMBERS // width))
