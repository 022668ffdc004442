"""Embedding interpolation: vectors moved towards a near train row of the same class.

    x' = x + amount · u · (neighbour − x),   u uniform in [0, 1), neighbour one of the k nearest of the row's class

Classes are known where train labels are handed to `learn`; a row whose class is not known goes towards its nearest known rows. Where all
train vectors have one length, it is kept.

Source: DeVries, Taylor (2017), Dataset Augmentation in Feature Space, ICLR workshop, section 3 (interpolation between neighbours of a
class); Chawla et al. (2002), SMOTE, JAIR 16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Matrix
from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.known_rows import KnownRows, class_codes_of, sample_places
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity
from tilth.operators.vector_cells import change_vectors, of_length, one_length, vectors_in

__all__ = ["EmbeddingInterpolate"]

AMOUNTS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""How far at most, as a share of the way, by severity: never nearer to the other row than to its own place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingInterpolate:
    """Move vectors towards a near train row of the same class.

    Parameters
    ----------
    severity : 1 to 5: up to 10, 20, 30, 40 or 50 % of the way
    columns : what it changes; () for every column of vectors
    neighbours : among how many of the nearest rows one is drawn
    known : by column, the train rows that it remembers; learnt
    lengths : by column, the length that all vectors have, where they have one; learnt

    Raises
    ------
    ConfigError
        Fewer than one neighbour.

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 3
    columns: tuple[str, ...] = ()
    neighbours: int = 5
    known: Mapping[str, KnownRows] = field(default_factory=dict, repr=False)
    lengths: Mapping[str, float] = field(default_factory=dict)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.EMBEDDING})
    label: ClassVar[LabelEffect] = "keep"
    learns_labels: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity, and no neighbour."""
        refuse_severity(self.severity)
        if self.neighbours < 1:
            raise ConfigError(f"neighbours cannot be {self.neighbours!r}", next_step="write 1 or more")

    def learn(self, train: Batch, labels: pa.Array | None = None) -> EmbeddingInterpolate:
        """Return the transform with a sample of train rows, and their classes where labels (n,) are given."""
        known, lengths = dict(self.known), dict(self.lengths)
        codes = class_codes_of(labels, len(train))
        for name in chosen(train, self.columns, self.accepts):
            matrix, present = vectors_in(train.column(name))
            rows = np.flatnonzero(present)
            rows = rows[sample_places(train.digests[rows])]
            if name not in self.known and len(rows):
                known[name] = KnownRows(train.digests[rows], matrix[rows].astype(np.float32), codes[rows])
                if (length := one_length(matrix[rows])) is not None:
                    lengths[name] = length
        return replace(self, known=known, lengths=lengths)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with vectors moved; raises NotApplicable where it knows the train rows of no column."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.known]
        if not names:
            raise NotApplicable("it knows train rows of none of the columns: let it learn them from train rows")

        def change(name: str, rows: Matrix, digests: Digests) -> Matrix:
            known = self.known[name]
            far, pick = draw.child(name).several(digests, 2).T
            near = known.near(rows.astype(np.float32), digests, self.neighbours, pick)
            target = np.where((near >= 0)[:, None], known.vectors[near], rows)
            amount = at_severity(AMOUNTS, self.severity) * far
            return of_length(rows + amount[:, None] * (target - rows), self.lengths.get(name))

        return change_vectors(batch, names, change)
