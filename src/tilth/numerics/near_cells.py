"""Near neighbours among many rows: each row is compared with the rows of the cells around its own only.

    cells: a row belongs to the nearest of m centres; centres are rows, chosen by their content
    a cell's rows are compared with the rows of the cells that are most often second nearest to them, about 4,096 in all
    twice, with other centres; the nearest of both are kept

The exact search compares all pairs: a million rows would take hours. This one takes time that grows like the rows, and may miss
neighbours that lie beyond the compared cells; what it returns is measured exactly.

Source: Sivic, Zisserman (2003), Video Google, ICCV (inverted files); Jegou, Douze, Schmid (2011), Product quantization for nearest
neighbor search, IEEE TPAMI 33, section IV (search in the nearest cells).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import UsageError
from tilth.core.ids import key_of, mix
from tilth.numerics._nearest import Distinct, nearest_of
from tilth.numerics._pairs import chunks
from tilth.numerics._rows import STRIP, Features, Frame, Metric, Space, checked, row_hashes
from tilth.numerics.neighbours import Neighbours, k_nearest, without_self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tilth.core.arrays import IntVector

__all__ = ["MOST_EXACT", "k_near"]

MOST_EXACT = 65_536
"""Rows up to which `k_near` compares all pairs."""
CELL_ROWS, MOST_CELLS = 256, 2_048
COMPARED = 4_096
"""Rows that each row is compared with, at least, in each of the rounds."""
ROUNDS = 2
"""A row at the edge of its cell in one round stands elsewhere in another."""
BESIDE = 3
"""How many centres beside its own each row names as near."""


def k_near(
    features: Features,
    k: int,
    *,
    metric: Metric = "cosine",
    most_exact: int = MOST_EXACT,
    compared: int = COMPARED,
) -> Neighbours:
    """Find k near rows of every row, never itself: the nearest ones up to `most_exact` rows, most of them beyond.

    Of the 20 nearest rows .93 to 1.00 are found on real sets (`python -m benchmarks cells`); rows a little farther stand in the place
    of the others. Distances are exact.
    O(n (compared + m) d) time with m <= 2,048 cells; memory: as `k_nearest`, and the answer once more.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers, float32 or float64.
    k : int
        Neighbours per row, >= 1; fewer where there are fewer rows.
    metric : {"cosine", "euclidean"}
        As in `k_nearest`.
    most_exact : int
        Up to so many rows the answer is `k_nearest`'s.
    compared : int
        Rows that each row is compared with in each of two rounds, at least; more find more.

    Returns
    -------
    Neighbours
        As of `k_nearest` without itself; `exact` says which search it was.

    Raises
    ------
    UsageError
        When k < 1 or the metric is unknown.
    InputError
        When features are not a matrix of finite numbers.

    Randomness
    ----------
    None: centres are the rows whose content has the least hashes, whatever the order of the rows.

    Source
    ------
    Jegou, Douze, Schmid (2011), IEEE TPAMI 33, section IV.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(100.0)[:, None]
    >>> found = k_near(line, 2, metric="euclidean", most_exact=50, compared=20)
    >>> found.exact, found.distances.max() <= 2
    (False, True)
    """
    rows = checked(features, metric)
    if len(rows) <= max(most_exact, k + 1):
        return k_nearest(rows, k, metric=metric, exclude_self=True)
    if k < 1:
        raise UsageError(f"k is {k}: at least one neighbour is needed", next_step="give k >= 1")
    targets = Distinct.of(rows)
    frame = Frame.around(metric, targets.rows)
    shape = (len(targets.rows), k + 1)
    found = Neighbours(np.empty(shape, dtype=np.intp), np.empty(shape))
    for turn in range(ROUNDS):
        _search(frame, targets, max(compared, k + 1), turn, found)
    if len(found.positions) < len(rows):
        found = Neighbours(found.positions[targets.group], found.distances[targets.group])
    found = without_self(found)
    return Neighbours(found.positions, found.distances, exact=False)


def _search(frame: Frame, targets: Distinct, compared: int, turn: int, found: Neighbours) -> None:
    """Put the nearest members of every distinct row, itself included, in the cells around its own among those found before.

    Rows become comparable cell by cell: all at once they would take as much memory as the features.
    """
    for members, around in _cells(frame, targets, compared, turn):
        there = Space.of(targets.rows[around], frame)
        here = there.take(np.arange(len(members)))
        for filled, *nearest in nearest_of(here, there, targets, found.positions.shape[1], around):
            rows = members[filled]
            if turn:
                nearest = _nearer((found.positions[rows], found.distances[rows]), nearest)
            found.positions[rows], found.distances[rows] = nearest


def _nearer(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the nearest of two lists of positions and distances of each row, no position twice."""
    positions, distances = (np.hstack(pair) for pair in zip(first, second, strict=True))
    order = np.argsort(positions, axis=1, kind="stable")
    again = np.zeros(positions.shape, dtype=bool)
    again[:, 1:] = np.diff(np.take_along_axis(positions, order, axis=1), axis=1) == 0
    distances[np.nonzero(again)[0], order[again]] = np.inf
    order = np.lexsort((positions, distances), axis=1)[:, : first[0].shape[1]]
    return [np.take_along_axis(values, order, axis=1) for values in (positions, distances)]


def _cells(frame: Frame, targets: Distinct, compared: int, turn: int) -> Iterator[tuple[IntVector, IntVector]]:
    """Yield, per cell, its rows, and the rows that they are compared with, themselves first."""
    cell, beside = _assigned(frame, targets.rows, _centres(frame, targets.rows, turn))
    n_cells = beside.shape[0]
    order = np.argsort(cell, kind="stable")
    ends = np.cumsum(np.bincount(cell, minlength=n_cells))
    members = np.split(order, ends[:-1])
    sizes = np.array([int(targets.counts[rows].sum()) for rows in members])
    for c in np.flatnonzero(sizes):
        ranked = np.concatenate([[c], np.lexsort((np.arange(n_cells), -beside[c]))])
        ranked = ranked[np.append(True, ranked[1:] != c)]
        enough = int(np.searchsorted(np.cumsum(sizes[ranked]), compared)) + 1
        yield members[c], np.concatenate([members[other] for other in ranked[:enough]])


def _centres(frame: Frame, rows: Features, turn: int) -> Space:
    """Return the rows whose content has the least hashes; other rows each turn."""
    n_cells = min(max(len(rows) // CELL_ROWS, 2), MOST_CELLS, len(rows))
    hashes = mix(row_hashes(rows) ^ key_of("cells", turn)[0])
    chosen = np.argpartition(hashes, n_cells - 1)[:n_cells]
    return Space.of(rows[chosen[np.argsort(hashes[chosen], kind="stable")]], frame)


def _assigned(frame: Frame, rows: Features, centres: Space) -> tuple[IntVector, np.ndarray]:
    """Return the cell of each row, and (cells, cells): how many rows of one have another among the next nearest."""
    n_cells = len(centres)
    near = min(1 + BESIDE, n_cells)
    cell = np.empty(len(rows), dtype=np.intp)
    beside = np.zeros(n_cells * n_cells, dtype=np.intp)
    for part in chunks(len(rows), max(1, STRIP // n_cells)):
        bounds = Space.of(rows[part], frame).lower_bounds(slice(None), centres)
        nearest = np.argpartition(bounds, near - 1, axis=1)[:, :near]
        at = np.take_along_axis(bounds, nearest, axis=1)
        nearest = np.take_along_axis(nearest, np.argsort(at, axis=1, kind="stable"), axis=1)
        cell[part] = nearest[:, 0]
        keys = nearest[:, :1] * n_cells + nearest[:, 1:]
        beside += np.bincount(keys.ravel(), minlength=len(beside))
    return cell, beside.reshape(n_cells, n_cells)
