"""Groups of near-duplicates without transitive closure: each member is directly linked to its group's leader.

Closure joins a to z when a is near b, b near c, …: it has folded hundreds of thousands of rows into two. In
a star, each row is as near to its leader as the threshold says: keeping the leader alone loses no more than
that.

Source: Aslam, Pelekhov, Rus (2004), The star clustering algorithm for static and dynamic information
organization, Journal of Graph Algorithms and Applications 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.numerics._pairs import Pairs

__all__ = ["star_groups"]


def star_groups(n: int, pairs: Pairs, similarity: Vector) -> IntVector:
    """Group rows into stars of verified pairs.

    Rows become leaders in the order of their number of links (most first, then lowest position) unless they
    are linked to an earlier leader. Every other row joins the linked leader that it is most similar to (then
    the one that came first). The order of the pairs, and which end of a pair comes first, change nothing.
    Time O(n log n + m log m), memory O(n + m).

    Parameters
    ----------
    n : int
        Number of rows, >= 0.
    pairs : array, (m, 2)
        Verified links between positions in [0, n). Repeats count once, with the greatest similarity; a link
        of a row to itself counts for nothing.
    similarity : Vector, (m,)
        Finite, higher is more alike; for distances give their negative.

    Returns
    -------
    IntVector, (n,)
        The position of each row's leader; a row alone leads itself. `groups == arange(n)` marks the leaders.

    Raises
    ------
    InputError
        When a position is out of range, or the similarity is not one finite number per pair.

    Randomness
    ----------
    None.

    Source ------ Aslam, Pelekhov, Rus (2004), The star clustering algorithm for static and dynamic
    information organization.

    Examples
    --------
    >>> import numpy as np
    >>> chain = np.array([[0, 1], [1, 2], [2, 3]])
    >>> star_groups(4, chain, np.array([0.9, 0.9, 0.9]))
    array([1, 1, 1, 3])
    """
    _check(n, pairs, similarity)
    start, end, alike = _both_ways(pairs, similarity)
    degree = np.bincount(start, minlength=n)
    rank = np.empty(n, dtype=np.intp)
    rank[np.lexsort((np.arange(n), -degree))] = np.arange(n)
    leads = _leaders(rank, end, degree)
    groups = np.arange(n)
    joins = leads[end] & ~leads[start]
    start, end, alike = start[joins], end[joins], alike[joins]
    best = np.lexsort((rank[end], -alike, start))
    heads = best[np.flatnonzero(np.diff(start[best], prepend=-1))]
    groups[start[heads]] = end[heads]
    return groups


def _check(n: int, pairs: Pairs, similarity: Vector) -> None:
    if pairs.ndim != 2 or pairs.shape[1] != 2 or similarity.shape != (len(pairs),):
        raise InputError(
            f"pairs of shape {pairs.shape} and similarity of shape {similarity.shape} do not belong together",
            next_step="give pairs of shape (m, 2) and one similarity per pair",
        )
    if pairs.size and (pairs.min() < 0 or pairs.max() >= n):
        raise InputError(f"a pair names a position outside 0 … {n - 1}", next_step="give positions of these rows")
    if not np.isfinite(similarity).all():
        raise InputError("a similarity is not a finite number", next_step="leave such pairs out")


def _both_ways(pairs: Pairs, similarity: Vector) -> tuple[IntVector, IntVector, Vector]:
    """Each link once from either end, ordered by start, then end."""
    apart = pairs[:, 0] != pairs[:, 1]
    start = np.concatenate([pairs[apart, 0], pairs[apart, 1]])
    end = np.concatenate([pairs[apart, 1], pairs[apart, 0]])
    alike = np.concatenate([similarity[apart], similarity[apart]])
    order = np.lexsort((-alike, end, start))
    start, end, alike = start[order], end[order], alike[order]
    once = np.ones(len(start), dtype=np.bool_)
    once[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    return start[once], end[once], alike[once]


def _leaders(rank: IntVector, end: IntVector, degree: IntVector) -> Mask:
    """Rows that no earlier leader is linked to, taken greedily by rank."""
    edge = np.append(0, np.cumsum(degree))
    covered = np.zeros(len(rank), dtype=np.bool_)
    leads: Mask = degree == 0
    for row in np.argsort(rank)[: np.count_nonzero(degree)]:
        if not covered[row]:
            leads[row] = True
            covered[end[edge[row] : edge[row + 1]]] = True
    return leads
