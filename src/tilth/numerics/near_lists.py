"""Nearest rows of a table that changes a little: lists from before are mended where a row changed, not searched again.

    list: the nearest rows of a row, a dozen more than are asked for, and its reach: no row nearer than that is missing
    a row that left is taken from all lists, one that came is measured against the rows that it may be within reach of
    rows that came, and rows whose list became too short within its reach, are searched for as before

What comes out is what a search of all rows finds, to the last bit.

Source: Cover, Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Information Theory 13; for repairing neighbour lists under
insertion and deletion Debatty et al. (2016), Fast online k-NN graph building, arXiv:1602.06819.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics._pairs import chunks, digests, hits, offsets_within
from tilth.numerics._rows import FLOOR, HITS, STRIP, Features, Frame, Space, rounded_up
from tilth.numerics.neighbours import Neighbours, k_nearest, without_self

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, IntVector, Matrix, Vector

__all__ = ["NearLists", "near_lists", "origin_of", "renewed", "vector_digests"]

SPARE = 12
"""Entries beyond those asked for, so that a list may lose some before it must be searched anew."""
FEWEST = 1_000
"""Rows below which all are searched: there is nothing to save."""
MOST_CHANGED = 0.2
"""Share of rows searched anew above which all are: two products of a part cost more than one of the whole."""


@dataclass(frozen=True, slots=True, eq=False)
class NearLists:
    """The nearest rows of each row, itself excluded, by Euclidean distance and then position."""

    positions: np.ndarray
    """(n, w) intp; -1 where a list is shorter."""
    distances: Matrix
    """(n, w), rising along each row; infinite where a list is shorter."""
    reach: Vector
    """(n,) every other row that is nearer than this stands in the list."""

    def nearest(self, k: int) -> Neighbours:
        """Return the k nearest rows of each row."""
        return Neighbours(self.positions[:, :k], self.distances[:, :k])


def near_lists(features: Features, k: int) -> NearLists:
    """Search all rows for lists from which the k nearest of each can be read, now and after small changes.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers, float32 or float64.
    k : int
        Neighbours per row that will be asked for, >= 1.

    Raises
    ------
    UsageError, InputError
        As `k_nearest`.

    Randomness
    ----------
    None.

    Source
    ------
    Cover, Hart (1967).

    Examples
    --------
    >>> import numpy as np
    >>> near_lists(np.array([[0.0], [1.0], [3.0]]), 1).nearest(1).positions.ravel()
    array([1, 0, 1])
    """
    found = k_nearest(features, k + SPARE, metric="euclidean", exclude_self=True)
    is_whole = found.positions.shape[1] >= len(features) - 1
    reach = np.full(len(features), np.inf) if is_whole else found.distances[:, -1].copy()
    return NearLists(found.positions, found.distances, reach)


def vector_digests(features: Features) -> Bits:
    """Return 128 bits per row of what its numbers are: (n, d) -> (n, 2)."""
    rows = np.ascontiguousarray(features)
    return digests(row.tobytes() for row in rows)


def origin_of(before: Bits, after: Bits) -> IntVector:
    """Return where each row stood before, by digests (n, 2): -1 for new ones, and for those that changed places.

    The j-th of equal rows is the j-th of them before. Positions that are returned rise.
    """
    found = _ranked_match(before, after)
    kept = np.flatnonzero(found >= 0)
    behind = found[kept] < np.maximum.accumulate(found[kept])
    found[kept[behind]] = -1
    return found


def renewed(lists: NearLists, origin: IntVector, features: Features, k: int) -> NearLists:
    """Return the lists of changed rows: what `near_lists` finds for them, as far as the k nearest go.

    Time O(c n d) for c rows that came or must be searched anew, beside O(n k).

    Parameters
    ----------
    lists : NearLists
        Of the rows before.
    origin : IntVector, (n,)
        Where each row stood before, rising; -1 for a row that came. See `origin_of`.
    features : array, (n, d)
        The rows now.
    k : int
        Neighbours per row that will be asked for, as before.

    Raises
    ------
    InputError
        When origin does not fit or does not rise.

    Randomness
    ----------
    None.

    Source
    ------
    Debatty et al. (2016), arXiv:1602.06819, for the idea; here nothing is approximate.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(size=(2_000, 4))
    >>> less = renewed(near_lists(rows, 5), np.arange(1, 2_000), rows[1:], 5)
    >>> bool((less.nearest(5).positions == near_lists(rows[1:], 5).nearest(5).positions).all())
    True
    """
    kept = np.flatnonzero(origin >= 0)
    if len(origin) != len(features) or (np.diff(origin[kept]) <= 0).any():
        raise InputError("where rows stood before must rise, one position for each row", next_step="use origin_of")
    came = np.flatnonzero(origin < 0)
    if len(features) < FEWEST or len(came) > MOST_CHANGED * len(features):
        return near_lists(features, k)
    found = _carried(lists, origin, kept, len(features))
    _take_in(found, kept, came, features)
    short = kept[np.count_nonzero(found.distances[kept] < found.reach[kept, None], axis=1) < k]
    anew = np.concatenate([came, short])
    if len(anew) > MOST_CHANGED * len(features):
        return near_lists(features, k)
    _search_anew(found, anew, features)
    return found


def _ranked_match(before: Bits, after: Bits) -> IntVector:
    """Return the position before of the j-th row with a digest, for the j-th row with it after; -1 where there is none."""
    both = np.concatenate([before, after])
    is_after = np.arange(len(both)) >= len(before)
    order = np.lexsort((both[:, 1], both[:, 0]))  # stable: in the order of positions among equals
    new = np.append(True, np.any(both[order[1:]] != both[order[:-1]], axis=1))
    group = np.empty(len(both), dtype=np.intp)
    group[order] = np.cumsum(new) - 1
    n_groups = int(new.sum())
    n_before = np.bincount(group[~is_after], minlength=n_groups)
    starts = np.cumsum(n_before) - n_before
    members = np.argsort(group[~is_after], kind="stable")
    mine = group[is_after]
    turn = np.empty(len(after), dtype=np.intp)
    turn[np.argsort(mine, kind="stable")] = offsets_within(np.bincount(mine, minlength=n_groups))
    known = turn < n_before[mine]
    found = np.full(len(after), -1, dtype=np.intp)
    found[known] = members[(starts[mine] + turn)[known]]
    return found


def _carried(lists: NearLists, origin: IntVector, kept: IntVector, n: int) -> NearLists:
    """Return the kept rows' lists at the new positions, without the rows that left; gaps are closed."""
    place = np.full(len(lists.positions) + 1, -1, dtype=np.intp)  # the last one is where -1 points
    place[origin[kept]] = kept
    width = lists.positions.shape[1]
    positions = np.full((n, width), -1, dtype=np.intp)
    distances = np.full((n, width), np.inf)
    reach = np.zeros(n)
    moved = place[lists.positions[origin[kept]]]
    measured = np.where(moved >= 0, lists.distances[origin[kept]], np.inf)
    holes = np.flatnonzero(((moved[:, :-1] < 0) & (moved[:, 1:] >= 0)).any(axis=1))
    order = np.argsort(moved[holes] < 0, axis=1, kind="stable")
    moved[holes] = np.take_along_axis(moved[holes], order, axis=1)
    measured[holes] = np.take_along_axis(measured[holes], order, axis=1)
    positions[kept], distances[kept], reach[kept] = moved, measured, lists.reach[origin[kept]]
    return NearLists(positions, distances, reach)


def _take_in(found: NearLists, kept: IntVector, came: IntVector, features: Features) -> None:
    """Put rows that came into the lists of kept rows within whose reach they are."""
    if not len(came) or not len(kept):
        return
    frame = Frame.around("euclidean", features)
    there, here = Space.of(features[came], frame), Space.of(features[kept], frame)
    for part in chunks(len(here), max(1, STRIP // len(there))):
        limit = (found.reach[kept[part]] * frame.unit) ** 2 * (1.0 + 1e-9) + 2.0 * FLOOR
        mask = here.lower_bounds(part, there) <= rounded_up(limit - (1.0 - here.slack) * here.squares[part])[:, None]
        for row, column in hits(mask, HITS):
            measured = here.distances(row + part.start, there, column)
            near = measured < found.reach[kept[row + part.start]]
            _insert(found, kept[row[near] + part.start], came[column[near]], measured[near])


def _insert(found: NearLists, rows: IntVector, new: IntVector, measured: Vector) -> None:
    """Insert new entries, of whole rows, into their lists; what falls off the end limits the reach."""
    touched, width = np.unique(rows), found.positions.shape[1]
    row = np.concatenate([np.repeat(np.arange(len(touched)), width), np.searchsorted(touched, rows)])
    position = np.concatenate([found.positions[touched].ravel(), new])
    distance = np.concatenate([found.distances[touched].ravel(), measured])
    order = np.lexsort((position, distance, row))
    turn = offsets_within(np.bincount(row))
    kept, next_one = order[turn < width], order[turn == width]  # each row has more than `width` entries
    found.positions[touched] = position[kept].reshape(-1, width)
    found.distances[touched] = distance[kept].reshape(-1, width)
    found.reach[touched] = np.minimum(found.reach[touched], distance[next_one])


def _search_anew(found: NearLists, rows: IntVector, features: Features) -> None:
    if not len(rows):
        return
    width = found.positions.shape[1]
    near = k_nearest(features, width + 1, queries=features[rows], metric="euclidean", exclude_self=False)
    near = without_self(near, rows)
    found.positions[rows], found.distances[rows] = near.positions, near.distances
    found.reach[rows] = found.distances[rows, -1]
