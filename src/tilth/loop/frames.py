"""From the columns of a version to what learners and operators read: class numbers, targets, weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.ids import row_digests
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.schema import Schema
from tilth.core.target import Target

__all__ = [
    "class_codes",
    "feature_names",
    "frame_columns",
    "made_rows",
    "numeric_labels",
    "standing_together",
    "target_of",
    "train_part",
    "train_rows",
    "trusted_of",
    "weights_of",
]


def feature_names(schema: Schema) -> tuple[str, ...]:
    """Return the names of the columns that the model reads."""
    return tuple(column.name for column in schema.features)


def frame_columns(schema: Schema) -> tuple[str, ...]:
    """Return the columns that trials need of a version: tilth's own, and the label."""
    return (ROW_ID, SPLIT, TARGET, WEIGHT, TRUSTED, PARENTS, AUGMENT, schema.task.label)


def class_codes(table: pa.Table, schema: Schema) -> tuple[IntVector, Mask]:
    """Return class numbers (n,) and the mask of rows that have one; other rows hold 0."""
    column = table.column(schema.task.label).cast(pa.string())
    codes = pc.index_in(column, value_set=pa.array(schema.task.classes, pa.string()))
    mask = np.asarray(pc.is_valid(codes)) & np.asarray(pc.is_valid(column))
    return np.asarray(pc.fill_null(codes, 0)).astype(np.intp), mask


def numeric_labels(table: pa.Table, schema: Schema) -> tuple[Vector, Mask]:
    """Return numeric labels (n,) and the mask of rows that have one; other rows hold 0."""
    column = table.column(schema.task.label)
    return np.asarray(pc.fill_null(column, 0.0), dtype=np.float64), np.asarray(pc.is_valid(column))


def weights_of(table: pa.Table) -> Vector:
    """Return training weights (n,), 1 where none is set."""
    return np.asarray(pc.fill_null(table.column(WEIGHT), 1.0), dtype=np.float64)


def trusted_of(table: pa.Table) -> Mask:
    """Return the mask of rows whose label a person confirmed."""
    return np.asarray(pc.fill_null(table.column(TRUSTED), False))


def made_rows(table: pa.Table) -> Mask:
    """Return the mask of rows that were made from others."""
    return np.asarray(pc.is_valid(table.column(PARENTS)))


def train_rows(table: pa.Table) -> Mask:
    """Return the mask of train rows."""
    return np.asarray(pc.equal(table.column(SPLIT), str(Split.TRAIN)))


def train_part(table: pa.Table) -> pa.Table:
    """Return the train rows; a table of nothing else is not copied."""
    inside = train_rows(table)
    return table if inside.all() else table.filter(pa.array(inside))


def target_of(table: pa.Table, schema: Schema) -> Target:
    """Return what a learner trains on: the soft target where one is set, else the label."""
    weights = weights_of(table)
    if schema.task.is_regression:
        numbers, mask = numeric_labels(table, schema)
        return Target.values(numbers, mask, weights)
    codes, mask = class_codes(table, schema)
    hard = Target.classes(codes, mask, schema.task.n_classes, weights)
    rows, soft = _soft_targets(table, schema.task.n_classes)
    if not len(rows):
        return hard
    assert hard.distribution is not None
    mixed = hard.distribution.copy()
    mixed[rows] = soft
    mask = mask.copy()
    mask[rows] = True
    return Target.soft(mixed, mask, weights)


def _soft_targets(table: pa.Table, n_classes: int) -> tuple[IntVector, Matrix]:
    column = table.column(TARGET)
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    rows = np.flatnonzero(np.asarray(pc.is_valid(column)))
    if not len(rows):
        return rows, np.zeros((0, n_classes))
    values = column.take(pa.array(rows)).flatten()
    soft = np.asarray(values, dtype=np.float64).reshape(-1, n_classes)
    return rows, soft / soft.sum(axis=1, keepdims=True)


def standing_together(groups: IntVector | None, cells: Callable[[], pa.Table]) -> IntVector:
    """Return codes 0 … of n rows that must stand on one side: their (n,) groups, or else rows whose feature cells are equal.

    `cells` reads the feature columns of the rows; it is not called where there are groups.
    """
    if groups is None:
        table = cells()
        groups = row_digests(table, table.column_names)[:, 0]
    return np.unique(groups, return_inverse=True)[1]
