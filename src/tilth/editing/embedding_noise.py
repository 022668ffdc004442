"""Embedding noise: vectors moved in a random direction, by less than lies between a row and its nearest other one.

    x' = x + share · reach · e,   e uniform on the unit sphere, reach = median distance to the nearest other train row

Where all train vectors have one length, it is kept.

Source: DeVries, Taylor (2017), Dataset Augmentation in Feature Space, ICLR workshop, section 3 (noise in feature space).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.draw import Draw
from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.cell_changes import normals
from tilth.numerics.known_rows import sample_places
from tilth.numerics.transform_measures import nearest_distance
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity
from tilth.operators.vector_cells import change_vectors, of_length, one_length, vectors_in

__all__ = ["EmbeddingNoise", "directions"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the distance to the nearest other row, by severity."""


def directions(uniforms: Matrix) -> Matrix:
    """Return random directions of length 1; (n, d) numbers in [0, 1) -> (n, d)."""
    steps = normals(uniforms)
    lengths = np.sqrt(np.square(steps).sum(axis=1, keepdims=True))
    return np.asarray(steps / np.maximum(lengths, 1e-300))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingNoise:
    """Move vectors by less than lies between neighbours.

    Parameters
    ----------
    severity : 1 to 5: 10, 25, 50, 75 or 100 % of the distance from a row to the nearest other one
    columns : what it changes; () for every column of vectors
    reaches : by column, that distance; learnt from train rows where none is given
    lengths : by column, the length that all vectors have, where they have one; learnt with the distance

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 3
    columns: tuple[str, ...] = ()
    reaches: Mapping[str, float] = field(default_factory=dict)
    lengths: Mapping[str, float] = field(default_factory=dict)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.EMBEDDING})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def learn(self, train: Batch) -> EmbeddingNoise:
        """Return the transform with the distances and lengths of train rows."""
        reaches, lengths = dict(self.reaches), dict(self.lengths)
        for name in chosen(train, self.columns, self.accepts):
            matrix, present = vectors_in(train.column(name))
            places = sample_places(train.digests[present])
            rows = matrix[present][places]
            try:
                reaches.setdefault(name, nearest_distance(rows.astype(np.float32)))
            except NotApplicable:
                continue  # no row, or copies of one: nothing says how far is near
            if name not in self.reaches and (length := one_length(rows)) is not None:
                lengths[name] = length
        return replace(self, reaches=reaches, lengths=lengths)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with vectors moved; raises NotApplicable where it knows the distances of no column."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.reaches]
        if not names:
            raise NotApplicable("it knows the distances of none of the columns: let it learn them from train rows")

        def change(name: str, rows: Matrix, digests: np.ndarray) -> Matrix:
            far = at_severity(SHARES, self.severity) * self.reaches[name]
            after = rows + far * directions(draw.child(name).several(digests, rows.shape[1]))
            return of_length(after, self.lengths.get(name))

        return change_vectors(batch, names, change)
