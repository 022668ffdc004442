"""Predict new rows: the version's model, the same encoders, the same feature code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, Matrix
from tilth.core.errors import SchemaChangedError, SourceError, did_you_mean, first_three
from tilth.core.names import ROW_ID
from tilth.core.new_slice import NewSlice
from tilth.core.schema import Role, Schema
from tilth.encoding._blocks import encode_blocks
from tilth.loop.new_slices import lines_of, slices_of_new
from tilth.loop.workshop import Workshop
from tilth.operators.batch import batches
from tilth.sources import normalise
from tilth.store.version import Version

__all__ = ["NewRows", "Predicted", "new_rows", "predict", "predicted_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predicted:
    """Predictions in the order of the rows given: `table` has row, prediction, and one probability per class.

    `slices` says how many of the rows belong to each slice that the workshop has.
    """

    table: pa.Table
    version: str
    warnings: tuple[str, ...]
    slices: tuple[NewSlice, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class NewRows:
    """New rows as the model sees them.

    Parameters
    ----------
    ids : the user's ids, or row numbers from 1
    row_ids : (n,) what they are called while they are looked at
    table : their cells in the types of the schema, without a label
    features : (n, d) by the held encoders
    predicted : (n, k) probabilities, or (n, 1) numbers
    """

    ids: pa.Array | pa.ChunkedArray
    row_ids: pa.Array
    table: pa.Table
    features: FloatMatrix32
    predicted: Matrix
    warnings: tuple[str, ...]


def predict(workshop: Workshop, version: Version, table: pa.Table, notes: Sequence[str] = ()) -> Predicted:
    """Return predictions for new rows; raises SchemaChangedError where a column that the model reads is missing.

    The new rows are encoded by the held encoders and forgotten: nothing about them is kept in the store.
    """
    new = new_rows(workshop, version, table)
    told, said = slices_of_new(workshop, version, new.table, new.features, new.predicted)
    found = predicted_of(new, version)
    return replace(found, slices=lines_of(told, workshop.dataset(version)), warnings=(*found.warnings, *notes, *said))


def new_rows(workshop: Workshop, version: Version, table: pa.Table) -> NewRows:
    """Return new rows with their features and predictions; raises SchemaChangedError where a column is missing."""
    schema = version.schema
    _refuse_missing(table, schema)
    if not table.num_rows:
        raise SourceError("the new data has no rows", next_step="check how it was written")
    ids = _names_of(table, schema)
    table = _with_time(table, schema)
    typed, warnings = normalise(table, schema, serving=True, day_first=version.source.get("day_first"))
    fitted = workshop.columns(version)
    rows = typed.append_column(ROW_ID, pa.array([str(i) for i in range(table.num_rows)], pa.string()))
    bench = workshop.bench(version)
    features = encode_blocks(fitted, batches(rows, [column.name for column in fitted]), rows.num_rows)
    view = bench.view(rows, features)
    predicted = bench.learner.predict_proba(view, bench.baseline)
    told = rows.drop_columns([name for name in rows.column_names if name == schema.task.label])
    return NewRows(
        ids=ids, row_ids=view.ids, table=told, features=features, predicted=predicted, warnings=tuple(warnings)
    )


def predicted_of(new: NewRows, version: Version) -> Predicted:
    """Return predictions as a table."""
    return Predicted(
        table=_output(new.ids, new.predicted, version.schema), version=version.version, warnings=new.warnings
    )


def _refuse_missing(table: pa.Table, schema: Schema) -> None:
    lost = [column.name for column in schema.features if column.name not in table.column_names]
    if lost:
        spare = [name for name in table.column_names if name not in schema.names]
        raise SchemaChangedError(
            f"the new data lacks {first_three(map(repr, lost))}, which the model reads.{did_you_mean(lost[0], spare)}",
            where="columns",
            next_step="bring the column; its cells may be empty",
        )


def _with_time(table: pa.Table, schema: Schema) -> pa.Table:
    """Return new rows with an empty time column where they have none: it orders rows, and no model reads it."""
    lost = [column.name for column in schema.with_role(Role.TIME) if column.name not in table.column_names]
    for name in lost:
        table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return table


def _names_of(table: pa.Table, schema: Schema) -> pa.Array:
    """The user's ids where the new data has them, else row numbers from 1."""
    column = schema.first(Role.ID)
    if column is not None and column in table.column_names and schema.may_show(column):
        return table.column(column)
    return pa.array(np.arange(1, table.num_rows + 1))


def _output(ids: pa.Array, predicted: Matrix, schema: Schema) -> pa.Table:
    task = schema.task
    if task.is_regression:
        return pa.table({"row": ids, "prediction": pa.array(predicted[:, 0])})
    best = np.asarray(task.classes, dtype=object)[predicted.argmax(axis=1)]
    columns = {"row": ids, "prediction": pa.array(best, pa.string())}
    columns |= {f"p_{c}": pa.array(predicted[:, i]) for i, c in enumerate(task.classes)}
    return pa.table(columns)
