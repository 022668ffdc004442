"""The steps that exact and approximate searches share: rows without their copies, sure limits, the nearest members.

Source: Cover, Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Information Theory 13; Higham (2002), Accuracy and
Stability of Numerical Algorithms, section 3.1 (the rounding bound).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.numerics._pairs import chunks, hits, offsets_within
from tilth.numerics._rows import FLOOR, HITS, STRIP, Features, Space, identical_rows, rounded_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector

__all__ = ["Distinct", "nearest_of"]


@dataclass(frozen=True, slots=True)
class Distinct:
    """Rows with their copies folded together: group g holds `members[starts[g] : starts[g] + counts[g]]`,
    rising.
    """

    rows: Features
    group: IntVector
    members: IntVector
    starts: IntVector
    counts: IntVector

    @classmethod
    def of(cls, rows: Features) -> Distinct:
        """Fold the copies among (n, d) rows together; groups are in the order of their first rows."""
        first = identical_rows(rows)
        kept = np.flatnonzero(first == np.arange(len(rows)))
        group = np.searchsorted(kept, first)
        counts = np.bincount(group, minlength=len(kept))
        distinct = rows if len(kept) == len(rows) else rows[kept]
        return cls(distinct, group, np.argsort(group, kind="stable"), np.cumsum(counts) - counts, counts)


def nearest_of(
    here: Space, there: Space, targets: Distinct, width: int, groups: IntVector | None = None
) -> Iterator[tuple[slice, NDArray[np.intp], Matrix]]:
    """Yield, for consecutive rows of `here`, their `width` nearest members among the groups that `there` holds.

    `groups` says which group each row of `there` is; None = there are all of them, in order. `there` must hold groups of at
    least `width` members together.
    """
    for part in chunks(len(here), max(1, STRIP // len(there))):
        bounds = here.lower_bounds(part, there)
        limit = _sure_limit(bounds, here, part, there, width)
        for row, column in hits(bounds <= limit[:, None], HITS):
            measured = here.distances(row + part.start, there, column)
            group = column if groups is None else groups[column]
            filled = slice(part.start + int(row[0]), part.start + int(row[-1]) + 1)
            yield filled, *_nearest_members(row, group, measured, targets, width)


def _sure_limit(bounds: FloatMatrix32, here: Space, part: slice, there: Space, width: int) -> NDArray[np.float32]:
    """Limit per row that the bounds of its `width` nearest, ties included, do not exceed.

    At least `width` entries meet a first, cheap limit; no true neighbour lies beyond the largest upper
    bound among those.
    """
    limit: Vector = _reached_by(bounds, width)
    farthest = np.empty(len(limit))
    for row, column in hits(bounds <= limit[:, None], HITS):
        heads = np.flatnonzero(np.diff(row, prepend=-1))
        farthest[row[heads]] = np.maximum.reduceat(there.squares[column], heads)
    return rounded_up(limit + 2.0 * here.slack * (farthest + here.squares[part]) + 2.0 * FLOOR)


def _reached_by(bounds: NDArray[np.float32], width: int) -> Vector:
    """A limit per row that at least `width` entries do not exceed, and few more do."""
    n = bounds.shape[1]
    if n <= width:
        return np.full(len(bounds), np.inf)
    buckets = max(8 * width, n // 64)
    depth = n // buckets
    least = bounds if depth < 2 else _least_of_every(bounds[:, : depth * buckets], buckets)
    return np.partition(least, width - 1, axis=1)[:, width - 1].astype(np.float64)


def _least_of_every(bounds: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    least: NDArray[np.float32] = bounds.reshape(len(bounds), -1, stride).min(axis=1)
    return least


def _nearest_members(
    row: IntVector, group: IntVector, measured: Vector, targets: Distinct, width: int
) -> tuple[NDArray[np.intp], Matrix]:
    """Unfold groups into their first `width` members and keep the nearest `width` of each row."""
    sizes = np.minimum(targets.counts[group], width)
    position = targets.members[np.repeat(targets.starts[group], sizes) + offsets_within(sizes)]
    row, measured = np.repeat(row, sizes), np.repeat(measured, sizes)
    order = np.lexsort((position, measured, row))
    kept = order[offsets_within(np.bincount(row)) < width]
    return position[kept].reshape(-1, width), measured[kept].reshape(-1, width)
