"""Groups of rows by the one mark (a word, a value) that tells them best from other rows: readable, and the same each time.

    score(mark) = a log( (a + 1)/(n + 1)  /  (b + 1)/(m + 1) )     a of n rows inside have it, b of m rows outside

The best mark takes its rows, and the next is found among those that are left.

Source: Dunning (1993), Accurate methods for the statistics of surprise and coincidence, Computational Linguistics 19 (the
log likelihood ratio, its first term); the greedy cover: Chvátal (1979), Mathematics of Operations Research 4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array

from tilth.core.arrays import IntVector, Mask, Vector

__all__ = ["MarkedGroup", "telling_groups"]


class MarkedGroup(NamedTuple):
    """Rows that a mark tells.

    Parameters
    ----------
    marks : the mark, then up to two others that most of the group has and few rows elsewhere
    rows : row numbers, ascending
    elsewhere : share of the outside rows that have the first mark
    """

    marks: IntVector
    rows: IntVector
    elsewhere: float


def telling_groups(marks: csr_array, inside: Mask, *, most: int = 5, fewest: int = 5) -> list[MarkedGroup]:
    """Return groups of the rows inside, each told from the rows outside by one mark; what no mark tells is left out.

    O(groups x entries of the matrix).

    Parameters
    ----------
    marks : (n, t) one where a row has a mark
    inside : (n,) the rows to be grouped; the others are what they are told from
    most : groups at most
    fewest : rows of a group at least

    Returns
    -------
    list of MarkedGroup
        In the order in which they were found, the most telling first; a tie goes to the mark with the lower number.

    Randomness
    ----------
    None.

    Examples
    --------
    >>> has = csr_array(np.array([[1, 0, 1]] * 6 + [[0, 1, 1]] * 6))
    >>> [(g.marks[0].item(), len(g.rows)) for g in telling_groups(has, np.arange(12) < 6)]
    [(0, 6)]
    """
    table = csc_array(marks, dtype=np.float64)
    outside = _shares(table, ~inside)
    left, groups = inside.copy(), list[MarkedGroup]()
    while table.shape[1] and len(groups) < most and np.count_nonzero(left) >= fewest:
        counts, shares = _counts(table, left), _shares(table, left)
        scores = np.where(counts >= fewest, counts * np.log(shares / outside), 0.0)
        best = int(scores.argmax())
        if scores[best] <= 0 or shares[best] < 2 * outside[best]:
            break
        rows = _having(table, best, left)
        groups.append(MarkedGroup(_with_company(table, best, rows, outside), rows, float(outside[best])))
        left[rows] = False
    return groups


def _counts(table: csc_array, rows: Mask) -> Vector:
    return np.asarray(rows.astype(np.float64) @ table)


def _shares(table: csc_array, rows: Mask) -> Vector:
    return np.asarray((_counts(table, rows) + 1.0) / (np.count_nonzero(rows) + 1.0))


def _having(table: csc_array, mark: int, rows: Mask) -> IntVector:
    holders = np.sort(table.indices[table.indptr[mark] : table.indptr[mark + 1]])
    return np.asarray(holders[rows[holders]], dtype=np.intp)


def _with_company(table: csc_array, best: int, rows: IntVector, outside: Vector) -> IntVector:
    """Return the mark and up to two others that half of the group has, and that are rarer elsewhere by half."""
    inside = np.zeros(table.shape[0], dtype=bool)
    inside[rows] = True
    shares = _shares(table, inside)
    scores = np.where((shares >= 0.5) & (shares >= 2 * outside), shares * np.log(shares / outside), 0.0)
    scores[best] = 0.0
    others = [mark for mark in np.argsort(-scores, kind="stable")[:2] if scores[mark] > 0]
    return np.array([best, *others], dtype=np.intp)
