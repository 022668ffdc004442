"""Cells between rows: numbers, dates and vectors blended, categories by vote, in the types that their columns have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Vector
from tilth.numerics.oversampling import between, voted

LUMP = 0.05
"""Share of a column's cells that one number has, from which it is no point of a scale but a state."""

__all__ = ["as_cells", "blended", "codes_of", "numbers_in", "plain_texts", "voted_cells"]


def blended(column: pa.Array | pa.ChunkedArray, first: IntVector, second: IntVector, gap: Vector) -> pa.Array:
    """Return cells between those of two rows: numbers, dates or vectors; whole numbers stay whole, the first's missing cells missing.

    Where one of two numbers is a value that 5 % of the column's cells have, a zero or a cap, the nearer cell stands as it is: half way
    to nothing there is nothing.
    """
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_fixed_size_list(cells.type):
        width = cells.type.list_size
        values = np.asarray(pc.fill_null(cells.flatten(), np.nan), dtype=np.float64)
        full = np.full((len(cells), width), np.nan)
        full[np.asarray(cells.is_valid())] = values.reshape(-1, width)
        points = between(full[first], full[second], gap)
        flat = pa.array(points.reshape(-1)).cast(cells.type.value_type)
        mask = pa.array(np.isnan(points).all(axis=1))
        return pa.FixedSizeListArray.from_arrays(flat, type=cells.type, mask=mask)
    values = numbers_in(cells)
    made = between(values[first, None], values[second, None], gap)[:, 0]
    lumps = np.isin(values, _lumps(values))
    at_lump = (lumps[first] | lumps[second]) & ~np.isnan(values[first]) & ~np.isnan(values[second])
    nearer = np.where(gap < 0.5, values[first], values[second])
    return as_cells(np.where(at_lump, nearer, made), cells.type)


def _lumps(values: Vector) -> Vector:
    """Return the numbers that many cells share."""
    known, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return np.asarray(known[counts > max(LUMP * len(values), 1)])


def numbers_in(cells: pa.Array) -> Vector:
    """Return cells as numbers, dates as microseconds; NaN where one is missing."""
    if pa.types.is_temporal(cells.type):
        cells = cells.cast(pa.timestamp("us")).cast(pa.int64())
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.int8())
    values = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def as_cells(values: Vector, kind: pa.DataType) -> pa.Array:
    """Return numbers as cells of a type, NaN as missing."""
    missing = pa.array(np.isnan(values))
    if pa.types.is_floating(kind):
        return pc.if_else(missing, pa.scalar(None, pa.float64()), pa.array(values)).cast(kind)
    whole = pa.array(np.rint(np.where(np.isnan(values), 0.0, values)).astype(np.int64))
    cells = pc.if_else(missing, pa.scalar(None, pa.int64()), whole)
    if pa.types.is_temporal(kind):
        return cells.cast(pa.timestamp("us")).cast(kind, safe=False)
    return cells.cast(kind, safe=False)


def voted_cells(column: pa.Array | pa.ChunkedArray, anchors: IntVector, near: IntVector) -> pa.Array:
    """Return for each anchor the cell that most near rows have."""
    codes, words = codes_of(column)
    found = voted(codes, anchors, near)
    return words.take(pa.array(found, mask=found < 0)).cast(column.type)


def codes_of(column: pa.Array | pa.ChunkedArray) -> tuple[IntVector, pa.Array]:
    """Return the number of each cell's category (n,), -1 where it is missing, and the categories in their order."""
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    plain = cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells
    words = pc.drop_null(plain.unique())
    words = words.take(pc.sort_indices(words))
    return np.asarray(pc.fill_null(pc.index_in(plain, value_set=words), -1), dtype=np.intp), words


def plain_texts(column: pa.Array | pa.ChunkedArray) -> list[str]:
    """Return cells as text, "" where one is missing."""
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    plain = cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells
    return [text or "" for text in plain.cast(pa.string()).to_pylist()]
