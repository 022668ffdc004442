"""Votes as one sparse matrix: a row per row, a column per (labeler, class) pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.votes import Votes

__all__ = ["Ballots", "ballots_of", "refuse_no_votes"]

CELLS = 1 << 21
"""Cells of a posterior that are held at once while statistics are summed: 16 MB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ballots:
    """Votes of n rows as a sparse (n, m k) matrix whose column i k + v says that labeler i voted for class v.

    Cells are 1; where a labeler answered a row r times, its answers weigh 1 / r each, so that it counts once.
    """

    matrix: csr_array
    n_labelers: int
    n_classes: int

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    @cached_property
    def n_votes(self) -> Vector:
        """Labelers that vote on each row; (n,)."""
        return np.asarray(self.matrix.sum(axis=1), dtype=np.float64)

    @cached_property
    def covered(self) -> Mask:
        """Rows that have a vote; (n,)."""
        return np.diff(self.matrix.indptr) > 0

    @cached_property
    def said(self) -> Matrix:
        """Votes of each labeler for each class; (m, k)."""
        return np.asarray(self.matrix.sum(axis=0), dtype=np.float64).reshape(self.n_labelers, self.n_classes)

    @cached_property
    def shares(self) -> Matrix:
        """Votes of each row for each class; (n, k)."""
        ones = np.tile(np.eye(self.n_classes), (self.n_labelers, 1))
        return np.asarray(self.matrix @ ones)

    def take(self, rows: IntVector | Mask) -> Ballots:
        """Return the ballots of some rows."""
        return Ballots(matrix=self.matrix[rows], n_labelers=self.n_labelers, n_classes=self.n_classes)

    def weighted(self, worth: Vector) -> Ballots:
        """Return ballots in which a vote of labeler i counts worth[i]; (m,)."""
        if (worth == 1.0).all():
            return self
        data = self.matrix.data * worth[self.matrix.indices // self.n_classes]
        matrix = csr_array((data, self.matrix.indices, self.matrix.indptr), shape=self.matrix.shape)
        return Ballots(matrix=matrix, n_labelers=self.n_labelers, n_classes=self.n_classes)

    def blocks(self) -> Iterator[slice]:
        """Yield runs of rows whose posterior fits in CELLS."""
        step = max(1, CELLS // self.n_classes)
        for first in range(0, len(self), step):
            yield slice(first, min(first + step, len(self)))

    def block(self, rows: slice) -> csr_array:
        """Return the matrix of a run of rows without copying its votes."""
        if rows == slice(0, len(self)):
            return self.matrix
        ends = self.matrix.indptr[rows.start : rows.stop + 1]
        part = slice(int(ends[0]), int(ends[-1]))
        cells = (self.matrix.data[part], self.matrix.indices[part], ends - ends[0])
        return csr_array(cells, shape=(rows.stop - rows.start, self.matrix.shape[1]))


def ballots_of(votes: Votes) -> Ballots:
    """Return votes as ballots: O(v) where votes stand once per row and in the labelers' order, else O(v log v)."""
    n, m, k = len(votes), len(votes.labelers), votes.n_classes
    rows, sources, said = votes.rows, votes.sources, votes.said
    if not _once_and_in_order(rows, sources):
        order = np.lexsort((said, sources, rows))
        rows, sources, said = rows[order], sources[order], said[order]
    columns = (sources * k + said).astype(np.int32 if m * k < 2**31 else np.int64)
    starts = np.searchsorted(rows, np.arange(n + 1)).astype(columns.dtype)
    matrix = csr_array((_weights(rows, sources), columns, starts), shape=(n, m * k))
    return Ballots(matrix=matrix, n_labelers=m, n_classes=k)


def refuse_no_votes(votes: Votes) -> None:
    """Raise NotApplicable when there is no vote at all."""
    if not len(votes.rows):
        raise NotApplicable("no labeler votes on any row", next_step="check that the labelers return class names")


def _once_and_in_order(rows: IntVector, sources: IntVector) -> bool:
    return bool(((np.diff(rows) > 0) | (np.diff(sources) > 0)).all())


def _weights(rows: IntVector, sources: IntVector) -> Vector:
    """One over the number of votes of the same labeler on the same row; (v,), (v,) -> (v,)."""
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (np.diff(rows) > 0) | (np.diff(sources) > 0)
    if first.all():
        return np.ones(len(rows))
    group = np.cumsum(first) - 1
    return np.asarray(1.0 / np.bincount(group)[group])
