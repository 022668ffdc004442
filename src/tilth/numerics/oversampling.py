"""SMOTE: rows of a rare class made between a row and one of its nearest neighbours of the class.

    number    x_a + u (x_b - x_a),  u uniform in (0, 1), b one of the k nearest rows of the class
    category  what most of the k nearest rows of the class have; the row's own where two are as common

Borderline-SMOTE makes rows of those alone that are in danger: at least half of their m nearest rows, but not all, are of other classes.

Source: Chawla, Bowyer, Hall, Kegelmeyer (2002), SMOTE: Synthetic Minority Over-sampling Technique, JAIR 16, sections 4.2 and 6.1 (NC);
Han, Wang, Mao (2005), Borderline-SMOTE, ICIC, section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.arrays import evenly, rows_of
from tilth.core.errors import InputError
from tilth.numerics.neighbours import k_nearest, without_self

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector

__all__ = ["between", "in_danger", "near_in_class", "voted"]

MOST_AMONG = 50_000
"""Rows among which near ones are looked for; of more, these many evenly through their order."""


def near_in_class(features: FloatMatrix32, labels: IntVector, anchors: IntVector, k: int) -> IntVector:
    """Return the positions (m, k) of the nearest rows of each anchor's own class, nearest first.

    A class of fewer than k + 1 rows repeats its farthest; of one with more than 50,000, as many are looked at. O(m n d).

    Raises
    ------
    InputError : a class has one row, which has no neighbour

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [3.0], [9.0]], np.float32)
    >>> near_in_class(x, np.array([0, 0, 0, 1]), np.array([0, 2]), 2).tolist()
    [[1, 2], [1, 0]]
    """
    found = np.zeros((len(anchors), k), dtype=np.intp)
    for c in np.unique(labels[anchors]):
        rows, mine = np.flatnonzero(labels == c), np.flatnonzero(labels[anchors] == c)
        if len(rows) < 2:
            raise InputError(f"class number {c} has one row, which has no neighbour of its class")
        rows = rows[evenly(len(rows), MOST_AMONG)]
        asked, again = np.unique(anchors[mine], return_inverse=True)
        width = min(k, len(rows) - 1)
        near = k_nearest(
            rows_of(features, rows), width + 1, queries=features[asked], metric="euclidean", exclude_self=False
        )
        others = rows[without_self(near, _places(rows, asked)).positions]
        found[mine] = others[again][:, np.minimum(np.arange(k), width - 1)]
    return found


def _places(rows: IntVector, asked: IntVector) -> IntVector:
    """Return where some rows stand among rising ones, -1 where they do not; (n,), (m,) -> (m,)."""
    at = np.minimum(np.searchsorted(rows, asked), len(rows) - 1)
    return np.where(rows[at] == asked, at, -1)


def in_danger(features: FloatMatrix32, labels: IntVector, rows: IntVector, m: int = 10) -> Mask:
    """Return which of some rows (r,) have at least half, but not all, of their m nearest rows in other classes; among 50,000 at most.

    Source: Han, Wang, Mao (2005), ICIC, section 3.

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [1.0], [1.1], [1.2]], np.float32)
    >>> in_danger(x, np.array([0, 0, 0, 1, 1]), np.array([0, 2]), m=3).tolist()
    [False, True]
    """
    width, some = min(m + 1, len(labels)), evenly(len(labels), MOST_AMONG)
    found = k_nearest(rows_of(features, some), width, queries=features[rows], metric="euclidean", exclude_self=False)
    near = some[found.positions]
    others = (near != rows[:, None]) & (np.cumsum(near != rows[:, None], axis=1) <= min(m, width - 1))
    share = ((labels[near] != labels[rows][:, None]) & others).sum(axis=1) / np.maximum(others.sum(axis=1), 1)
    return np.asarray((share >= 0.5) & (share < 1.0))


def between(first: Matrix, second: Matrix, gap: Vector) -> Matrix:
    """Return points between rows, (m, d), (m, d), (m,) in [0, 1] -> (m, d); NaN where the first is missing, the first where the second is.

    Examples
    --------
    >>> between(np.array([[0.0, np.nan, 2.0]]), np.array([[4.0, 1.0, np.nan]]), np.array([0.25])).tolist()
    [[1.0, nan, 2.0]]
    """
    far = np.where(np.isnan(second), first, second)
    return np.asarray(first + gap[:, None] * (far - first))


def voted(codes: IntVector, anchors: IntVector, near: IntVector) -> IntVector:
    """Return the category that most of the near rows have, the anchor's own where that is as common; (n,), (m,), (m, k) -> (m,).

    Codes below zero are missing; a missing cell of the anchor stays missing.

    Examples
    --------
    >>> voted(np.array([2, 1, 1, 0]), np.array([0, 3]), np.array([[1, 2], [0, 1]])).tolist()
    [1, 0]
    """
    shown = codes[near]
    counts = (shown[:, :, None] == shown[:, None, :]).sum(axis=2) * (shown >= 0)
    best = counts.argmax(axis=1)
    lines = np.arange(len(anchors))
    own = (shown == codes[anchors][:, None]).sum(axis=1)
    wins = (counts[lines, best] > np.maximum(own, 1)) & (codes[anchors] >= 0)
    return np.asarray(np.where(wins, shown[lines, best], codes[anchors]))
