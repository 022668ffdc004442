"""Copied labelers: those that say the same on the same rows count as one together."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tilth.core.arrays import IntVector, Vector
from tilth.labeling._shared.ballots import Ballots

__all__ = ["copy_groups", "worth_of"]

ALIKE = 0.95
"""Votes that two labelers share, of the votes that either casts, from which on they count as copies."""
LEAST_VOTES = 20
PAIRS = 5_000_000
"""Pairs of votes of one row that are looked at; beyond it, evenly spaced rows are."""


def copy_groups(ballots: Ballots) -> IntVector:
    """Return a group number for each labeler, (m,); copies share one.

    Two labelers are copies when they share 95 % of the votes that either casts, 20 at least. Where that would make
    one group of all labelers, none is taken for a copy: they may simply be right.
    """
    alone = np.arange(ballots.n_labelers)
    shared = _shared_votes(ballots).tocoo()
    one, other, both = shared.row, shared.col, shared.data
    cast = np.zeros(ballots.n_labelers)
    cast[one[one == other]] = both[one == other]
    alike = (one != other) & (both >= LEAST_VOTES) & (both >= ALIKE * (cast[one] + cast[other] - both))
    if not alike.any():
        return alone
    links = csr_array((both[alike], (one[alike], other[alike])), shape=shared.shape)
    n_groups, groups = connected_components(links, directed=False)
    return alone if n_groups == 1 else np.asarray(groups, dtype=np.intp)


def worth_of(groups: IntVector) -> Vector:
    """Return what a vote of each labeler counts, (m,) -> (m,): one over the number of its copies, itself included."""
    return np.asarray(1.0 / np.bincount(groups)[groups])


def _shared_votes(ballots: Ballots) -> csr_array:
    """Votes for the same class on the same row of each pair of labelers, and of each with itself; (m, m)."""
    pairs = float(np.square(ballots.n_votes).sum())
    step = max(1, int(np.ceil(pairs / PAIRS)))
    matrix = (ballots.matrix[::step] if step > 1 else ballots.matrix).tocoo()
    source, said = matrix.col // ballots.n_classes, matrix.col % ballots.n_classes
    places = (matrix.row.astype(np.int64) * ballots.n_classes + said, source)
    shape = (matrix.shape[0] * ballots.n_classes, ballots.n_labelers)
    by_class = csr_array((matrix.data, places), shape=shape)
    return csr_array(by_class.T @ by_class)
