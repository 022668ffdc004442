"""Cells of an Arrow column as NumPy, whatever the physical type the source chose."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import FloatMatrix32, Mask, Vector
from tilth.core.errors import InputError
from tilth.operators.batch import Batch

__all__ = ["cells_of", "missing_of", "numbers_of", "texts_of", "vectors_of"]


def cells_of(batch: Batch) -> pa.Array:
    """Return the only column as one plain array: no chunks, no dictionary."""
    cells = batch.cells
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    return cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells


def missing_of(cells: pa.Array) -> Mask:
    """Return which cells are null."""
    return np.asarray(cells.is_null(), dtype=bool)


def numbers_of(batch: Batch) -> tuple[Vector, Mask]:
    """Return the values (0 where there is none) and which rows have a finite one."""
    cells = cells_of(batch)
    try:
        plain = cells.cast(pa.int8()) if pa.types.is_boolean(cells.type) else cells
        values = np.asarray(plain.cast(pa.float64(), safe=False).fill_null(np.nan), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise _unreadable(batch, "numbers") from error
    present = np.isfinite(values)
    return np.where(present, values, 0.0), present


def texts_of(batch: Batch) -> pa.Array:
    """Return the cells as text: 2.0 and 2 are both "2", so that a column read as integers or as floats agrees."""
    cells = cells_of(batch)
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_null(cells.type):
        return cells.cast(pa.large_string())
    encoded = pc.dictionary_encode(cells)
    names = pa.array([_name(value) for value in encoded.dictionary.to_pylist()], pa.large_string())
    return names.take(encoded.indices)


def _name(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, float) and value != value:
        return None
    return str(value)


def vectors_of(batch: Batch) -> tuple[FloatMatrix32, Mask]:
    """Return an (n, d) matrix (zeros where there is no vector) and which rows have a finite one; d = 0 if none has."""
    cells = cells_of(batch)
    if not _is_list(cells.type):
        if cells.null_count == len(cells):
            return np.zeros((len(cells), 0), dtype=np.float32), np.zeros(len(cells), dtype=bool)
        raise _unreadable(batch, "vectors")
    present = ~missing_of(cells)
    widths = np.unique(np.asarray(pc.list_value_length(cells.drop_null())))
    if len(widths) > 1:
        raise InputError(
            f"vectors have {widths[0]} to {widths[-1]} numbers",
            where=_name_of(batch),
            next_step="give every row a vector of one length, or leave the cell empty",
        )
    flat = np.asarray(cells.drop_null().flatten().cast(pa.float32()).fill_null(np.nan), dtype=np.float32)
    matrix = np.zeros((len(cells), int(widths[0]) if len(widths) else 0), dtype=np.float32)
    matrix[present] = flat.reshape(int(present.sum()), -1) if matrix.shape[1] else 0.0
    present &= np.isfinite(matrix).all(axis=1)
    matrix[~present] = 0.0
    return matrix, present


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _unreadable(batch: Batch, wanted: str) -> InputError:
    return InputError(
        f"cells of type {batch.cells.type} cannot be read as {wanted}",
        where=_name_of(batch),
        next_step="correct the column's type in tilth.yaml",
    )


def _name_of(batch: Batch) -> str:
    return f"column {next(iter(batch.columns))!r}"
