"""A column of vectors, such as the user's own embeddings, as it is.

    x = s v with one number s for the column, so that the mean of |x|² over train rows is 1

Source: none; a change of unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, Matrix
from tilth.core.errors import SchemaChangedError
from tilth.core.schema import ColumnType
from tilth.encoding import _sample
from tilth.encoding._cells import vectors_of
from tilth.encoding._sample import Sample
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["Vector"]


@dataclass(frozen=True, kw_only=True)
class Vector:
    """The column's own vectors, brought to mean squared length 1 by one number.

    Missing vectors, and those with a missing or infinite number, become zeros. Cost: O(rows × width).

    Parameters
    ----------
    sample : rows from which the mean squared length is read, at least 1

    Raises
    ------
    InputError : the vectors of a block differ in width, or the cells are no vectors
    SchemaChangedError : the vectors have another width than those of the train rows

    Randomness: draws keyed by row id; the run's seed plays no part.

    Source: none.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.EMBEDDING})
    revision: ClassVar[int] = 1

    sample: int = 20_000

    def start(self) -> Sample:
        """Return an empty sample of (width, squared length)."""
        return _sample.empty(np.zeros((0, 2)))

    def fold(self, state: Sample, batch: Batch) -> Sample:
        """Return the sample with the block's vectors taken in."""
        matrix, present = vectors_of(batch)
        squares = [math.fsum(row) for row in np.square(matrix, dtype=np.float64)]
        facts = np.column_stack([np.full(len(matrix), matrix.shape[1]), squares])
        rows = np.flatnonzero(present)
        return _sample.take_in(state, batch.digests, rows, lambda kept: facts[kept], self.sample, "vector")

    def merge(self, left: Sample, right: Sample) -> Sample:
        """Return the sample of both."""
        return _sample.merge(left, right, self.sample)

    def finish(self, state: Sample) -> State:
        """Return the width and the number that every vector is multiplied with."""
        facts: Matrix = state.values
        widths, squares = facts.T
        mean = math.fsum(squares) / max(len(squares), 1)
        width = int(widths.max(initial=0))
        return {"width": np.array(width), "scale": np.array(1 / math.sqrt(mean) if mean > 0 else 1.0)}

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, width) scaled vectors."""
        matrix, present = vectors_of(batch)
        width = int(state["width"])
        if not present.any():
            return np.zeros((len(matrix), width), dtype=np.float32)
        if matrix.shape[1] != width:
            raise SchemaChangedError(
                f"vectors have {matrix.shape[1]} numbers, those of the train rows have {width}",
                where=f"column {next(iter(batch.columns))!r}",
                next_step="make the column with the model that made it for training",
            )
        return (matrix * float(state["scale"])).astype(np.float32)
