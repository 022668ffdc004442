"""Columns of vectors for transforms: read as a matrix, changed row by row, written back in their own type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Matrix
from tilth.core.errors import NotApplicable
from tilth.core.ids import Digests
from tilth.core.transformed import Transformed
from tilth.operators.batch import Batch
from tilth.operators.transforming import transformed

__all__ = ["VectorChange", "change_vectors", "of_length", "one_length", "refuse_unnamed", "vectors_in"]

VectorChange = Callable[[str, Matrix, Digests], Matrix]
"""A column's name, its vectors (n, d) and the digests of their rows (n, 2) -> the vectors afterwards."""
_ALIKE = 1e-3


def vectors_in(cells: pa.Array) -> tuple[Matrix, Mask]:
    """Return a column's vectors as (n, d), zeros where one is missing or not finite, and the mask (n,) of those that are there."""
    width = cells.type.list_size
    filled = cells.fill_null([0.0] * width) if cells.null_count else cells
    flat = np.asarray(filled.flatten().cast(pa.float64()).fill_null(np.nan), dtype=np.float64)
    matrix = flat.reshape(len(cells), width)
    present = np.asarray(cells.is_valid()) & np.isfinite(matrix).all(axis=1)
    return np.where(present[:, None], matrix, 0.0), present


def change_vectors(batch: Batch, names: Sequence[str], change: VectorChange) -> Transformed:
    """Return a batch with a change made to the vectors of some columns; missing ones, and those with a gap, stay."""
    changed = {}
    for name in names:
        cells = batch.column(name)
        matrix, present = vectors_in(cells)
        rows = np.flatnonzero(present)
        if not len(rows):
            continue
        after = matrix[rows]
        made = change(name, after, batch.digests[rows])
        changed[name] = _with(cells, rows, np.where(np.isfinite(made), made, after))
    return transformed(batch, changed)


def _with(cells: pa.Array, rows: np.ndarray, vectors: Matrix) -> pa.Array:
    """Return cells with some vectors replaced, in the column's own type; whole numbers are rounded."""
    kind = cells.type.value_type
    values = np.rint(vectors) if pa.types.is_integer(kind) else vectors
    new = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()).cast(kind), cells.type.list_size).cast(cells.type)
    at = np.arange(len(cells))
    at[rows] = len(cells) + np.arange(len(rows))
    return pa.concat_arrays([cells, new]).take(pa.array(at))


def one_length(vectors: Matrix) -> float | None:
    """Return the length that all vectors (n, d) have, None where they have none in common."""
    lengths = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))
    middle = float(np.median(lengths)) if len(lengths) else 0.0
    return middle if middle > 0 and (np.abs(lengths - middle) <= _ALIKE * middle).all() else None


def of_length(vectors: Matrix, length: float | None) -> Matrix:
    """Return vectors (n, d) brought to a length; as they are where it is None."""
    if length is None:
        return vectors
    own = np.sqrt(np.square(vectors).sum(axis=1))
    return np.asarray(vectors * (length / np.maximum(own, 1e-300))[:, None])


def refuse_unnamed(columns: Sequence[str]) -> None:
    """Raise NotApplicable where no column is named: what vectors are samples of sound cannot be seen."""
    if not columns:
        raise NotApplicable(
            "it changes samples of sound: which columns hold them?", next_step="name them: columns: [sound]"
        )
