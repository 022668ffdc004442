"""Joint counts: how many rows, and how much loss, each combination of the values of a few features holds.

    rows[v, w] = #{i : f_i = v, g_i = w},   losses[v, w] = sum of l_i over them,   squares[v, w] = sum of l_i^2

Losses are kept as whole multiples of a power of two, fine enough for 1e-9 of the greatest one, so that every sum is exact: it
depends neither on the order of the rows nor on whether rows were counted at once or taken out and put in one by one.

Source: definition; the idea of keeping counts through edits: Ahmad, Kennedy, Koch, Nikolic (2012), DBToaster, VLDB 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import IntVector, Vector
from tilth.core.errors import InputError

__all__ = ["Codes", "Counted", "JointCounts"]

Codes = Sequence[NDArray[np.uint16]]
"""One (n,) array per feature: the number of its value, from 0; the size of the feature for a value that is of no interest."""

_MOST_BITS = 30
_SUM_BITS = 50
"""Sums stay below 2^53 when the rows are fewer than four times those at the beginning."""
_SQUARED_DEPTH = 2


class Counted(NamedTuple):
    """Rows and sums by the values of d features, in an array of d axes.

    Parameters
    ----------
    rows : number of rows
    losses : sum of their losses
    squares : sum of the squares of their losses; None for three features and more, where nothing asks for them
    """

    rows: NDArray[np.int64]
    losses: NDArray[np.float64]
    squares: NDArray[np.float64] | None


class JointCounts:
    """The joint counts of some rows, made when they are first asked for, and carried on when rows change.

    Memory: the codes (2 bytes a cell), the losses, and 16 bytes for each combination that was asked for.

    Parameters
    ----------
    codes : per feature (n,) numbers of values
    sizes : per feature the number of values of interest
    losses : (n,) >= 0, finite; how bad each row is

    Raises
    ------
    InputError
        Losses that are negative or no numbers, or codes of another length.

    Randomness
    ----------
    None.

    Examples
    --------
    >>> counts = JointCounts([np.array([0, 0, 1], dtype=np.uint16)], [2], np.array([1.0, 0.0, 1.0]))
    >>> counts.of((0,)).rows.tolist(), counts.of((0,)).losses.tolist()
    ([2, 1], [1.0, 1.0])
    >>> counts.dropped(np.array([2])).of((0,)).rows.tolist()
    [2, 0]
    """

    def __init__(self, codes: Codes, sizes: Sequence[int], losses: Vector) -> None:
        self.codes = [np.asarray(code, dtype=np.uint16) for code in codes]
        self.sizes = tuple(int(size) for size in sizes)
        self.losses = np.asarray(losses, dtype=np.float64)
        _refuse(self.codes, self.losses)
        top = float(self.losses.max(initial=0.0))
        bits = min(_MOST_BITS, _SUM_BITS - int(np.ceil(np.log2(max(len(self.losses), 2)))))
        self.unit = 2.0 ** (np.ceil(np.log2(top)) - bits) if top > 0 else 1.0
        self.square_unit = 2.0 ** (2 * np.ceil(np.log2(top)) - bits) if top > 0 else 1.0
        self.most_rows = 4 * max(len(self.losses), 1)
        self.most_loss = self.unit * 2.0**bits
        self.is_binary = bool(((self.losses == 0) | (self.losses == top)).all())
        self._made: dict[tuple[int, ...], Counted] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.losses)

    def of(self, features: tuple[int, ...]) -> Counted:
        """Return the joint counts of some features, ascending."""
        if features not in self._made:
            self._made[features] = self._count(features, self.codes, self.losses)
        return self._made[features]

    def edited(self, rows: IntVector, codes: Codes, losses: Vector) -> JointCounts:
        """Return the counts after some rows were given other values: O(changed rows x combinations asked for).

        Parameters
        ----------
        rows : (m,) positions, none twice
        codes, losses : per feature (m,), and (m,): what they hold now
        """
        after = [code.copy() for code in self.codes]
        for code, new in zip(after, codes, strict=True):
            code[rows] = new
        new_losses = self.losses.copy()
        new_losses[rows] = losses
        taken = [code[rows] for code in self.codes]
        return self._carried(after, new_losses, out=(taken, self.losses[rows]), put=(codes, losses))

    def dropped(self, rows: IntVector) -> JointCounts:
        """Return the counts without some rows, (m,) positions; the others keep their order."""
        kept = np.ones(len(self), dtype=bool)
        kept[rows] = False
        taken = [code[~kept] for code in self.codes]
        return self._carried([c[kept] for c in self.codes], self.losses[kept], out=(taken, self.losses[~kept]))

    def added(self, codes: Codes, losses: Vector) -> JointCounts:
        """Return the counts with more rows behind the others: per feature (m,), and (m,)."""
        after = [np.concatenate([old, new]) for old, new in zip(self.codes, codes, strict=True)]
        return self._carried(after, np.concatenate([self.losses, losses]), put=(codes, losses))

    def _carried(
        self,
        codes: Codes,
        losses: Vector,
        *,
        out: tuple[Codes, Vector] | None = None,
        put: tuple[Codes, Vector] | None = None,
    ) -> JointCounts:
        """Return the counts of other rows: what was asked for before is carried on, where the grid still holds them."""
        other = JointCounts(codes, self.sizes, losses)
        fits = len(other) <= self.most_rows and float(other.losses.max(initial=0.0)) <= self.most_loss
        if not fits or self.is_binary != other.is_binary:
            return other
        other.unit, other.square_unit = self.unit, self.square_unit
        other.most_rows, other.most_loss = self.most_rows, self.most_loss
        for features, counted in self._made.items():
            rows, sums, squares = counted
            for sign, part in ((-1, out), (1, put)):
                if part is not None:
                    change = self._count(features, *part)
                    rows, sums = rows + sign * change.rows, sums + sign * change.losses
                    squares = None if squares is None or change.squares is None else squares + sign * change.squares
            other._made[features] = Counted(rows, sums, squares)
        return other

    def _count(self, features: tuple[int, ...], codes: Codes, losses: Vector) -> Counted:
        """Count rows: one combined number per row, then one bin per number."""
        shape = tuple(self.sizes[f] + 1 for f in features)
        combined = codes[features[0]].astype(np.intp)
        for f, size in zip(features[1:], shape[1:], strict=True):
            combined *= size
            combined += codes[f]
        cells = int(np.prod(shape))
        bad = np.flatnonzero(losses)
        at, worth = combined[bad], losses[bad]
        inner = tuple(slice(0, size - 1) for size in shape)

        def shaped(flat: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(flat.reshape(shape)[inner])

        rows = shaped(np.bincount(combined, minlength=cells))
        sums = shaped(self._sums(at, worth, self.unit, cells))
        if len(features) > _SQUARED_DEPTH:
            return Counted(rows, sums, None)
        return Counted(rows, sums, shaped(self._sums(at, worth * worth, self.square_unit, cells)))

    def _sums(self, at: np.ndarray, values: Vector, unit: float, cells: int) -> Vector:
        """Return exact sums: of whole numbers, in double precision."""
        if self.is_binary and len(values):
            return np.asarray(np.bincount(at, minlength=cells) * values[0])
        return np.asarray(np.bincount(at, weights=np.rint(values / unit), minlength=cells) * unit)


def _refuse(codes: Codes, losses: Vector) -> None:
    if not np.isfinite(losses).all() or (losses < 0).any():
        raise InputError("losses must be numbers >= 0", next_step="turn scores round: greatest score minus score")
    if any(len(code) != len(losses) for code in codes):
        raise InputError("every feature needs one value per row")
