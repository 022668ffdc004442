"""Bring a table into the types of a schema: the one door for training data, later runs and new data alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import (
    DuplicateIdError,
    LabelError,
    SchemaChangedError,
    SourceError,
    did_you_mean,
    first_three,
)
from tilth.core.names import SPLIT, SYSTEM_COLUMNS
from tilth.core.schema import Column, ColumnType, Role, Schema, Visibility
from tilth.sources._cells import (
    as_category,
    as_date,
    as_number,
    as_text,
    as_vector,
    infinite,
    is_day_first,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tilth.core.arrays import IntVector, Mask
from tilth.sources._tables import narrow

__all__ = ["normalise"]

_TOO_MUCH_JUNK = 0.5
_ENOUGH_CELLS = 10


class _Cast(NamedTuple):
    """A column in its canonical type, and which cells were lost on the way."""

    column: pa.ChunkedArray
    junk: Mask


def normalise(
    table: pa.Table, schema: Schema, *, serving: bool = False, day_first: Collection[str] | None = None
) -> tuple[pa.Table, list[str]]:
    """Return the schema's columns in their canonical Arrow types, and warnings about what became missing.

    number → float64, category and id → string, text → string, date → timestamp[us], image → binary,
    embedding → fixed-size list of float32, label → string, or float64 for regression. A cell's value depends
    on nothing but the cell and the schema (and on `day_first`, for dates such as 5/6/2020).

    Parameters
    ----------
    table : pa.Table
        As `open_source` gave it; a column `_tilth_split` is passed on.
    schema : Schema
        What the columns are.
    serving : bool
        New data to predict: only features and time need be there, and ids and labels are not checked.
    day_first : names of columns or None
        Columns whose dates are written day first; None finds out from this table's cells.

    Raises
    ------
    SchemaChangedError
        A column is not there, or most cells of a column cannot be read as its type.
    LabelError
        Labels that are no class of the task, or NaN or infinite in a regression.
    DuplicateIdError, SourceError
        Ids that occur twice, or are missing.
    """
    _check_columns(table, schema, serving=serving)
    names = _row_names(table, schema)
    columns: dict[str, pa.ChunkedArray] = {}
    warnings: list[str] = []
    for column in schema.columns:
        cells = _cells(table, column)
        cast = _cast(cells, column, schema, day_first)
        columns[column.name] = cast.column
        warnings += _junk_warnings(column, cells, cast, names, serving=serving)
        warnings += _missing_words(column, cells, cast)
        if not serving:
            _check_roles(column, cells, cast.column, schema, names)
    extra = [name for name in table.column_names if name not in schema.names and name not in SYSTEM_COLUMNS]
    if extra:
        warnings.append(f"columns that tilth.yaml does not know are left out: {first_three(extra)}")
    if SPLIT in table.column_names:
        columns[SPLIT] = as_category(table.column(SPLIT))
    return pa.table(columns), warnings


def _check_columns(table: pa.Table, schema: Schema, *, serving: bool) -> None:
    needed = [c for c in schema.columns if not serving or (c.role in {Role.FEATURE, Role.TIME} and c.at_serving)]
    unlabelled = schema.task.label if schema.task.classes else ""  # rows that nobody labelled yet have no such column
    lacking = [c.name for c in needed if c.name not in table.column_names and c.name != unlabelled]
    if lacking:
        spare = [name for name in table.column_names if name not in schema.names]
        said = (f"{name!r}{did_you_mean(name, spare)}" for name in lacking)
        raise SchemaChangedError(
            f"{len(lacking)} column{'s are' if len(lacking) > 1 else ' is'} missing: {first_three(said)}",
            next_step="add the columns" if serving else "add the columns, or take them out of tilth.yaml",
        )


def _cells(table: pa.Table, column: Column) -> pa.ChunkedArray:
    if column.name in table.column_names:
        return _plain(table.column(column.name))
    return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_null(column.type) else column


def _cast(cells: pa.ChunkedArray, column: Column, schema: Schema, day_first: Collection[str] | None) -> _Cast:
    kind = column.type
    if kind is ColumnType.NUMBER:
        return _Cast(*as_number(cells))
    if kind is ColumnType.DATE:
        is_day = is_day_first(cells) if day_first is None else column.name in day_first
        return _Cast(*as_date(cells, is_day))
    if kind is ColumnType.EMBEDDING:
        width = schema.task.n_classes if column.role is Role.PRED_PROBS else None
        return _Cast(*as_vector(cells, width))
    if kind is ColumnType.IMAGE:
        return _as_image(cells)
    nothing = np.zeros(len(cells), dtype=bool)
    return _Cast(as_category(cells) if kind is ColumnType.CATEGORY else as_text(cells), nothing)


def _as_image(cells: pa.ChunkedArray) -> _Cast:
    if pa.types.is_struct(cells.type):
        cells = pc.struct_field(cells, "bytes")
    if pa.types.is_string(cells.type):  # paths that nobody could load
        return _Cast(pa.chunked_array([pa.nulls(len(cells), pa.binary())]), np.asarray(pc.is_valid(cells)))
    return _Cast(narrow(cells, pa.binary()), np.zeros(len(cells), dtype=bool))


def _junk_warnings(
    column: Column, cells: pa.ChunkedArray, cast: _Cast, names: pa.Array, *, serving: bool
) -> Iterator[str]:
    n_junk, n_cells = int(cast.junk.sum()), len(cells) - cells.null_count
    if n_junk == 0:
        return
    rows = np.flatnonzero(cast.junk)
    if column.visibility is Visibility.SHOWN:
        shown = first_three(f"{_shown(cells[int(row)].as_py())} in row {names[int(row)].as_py()}" for row in rows[:3])
    else:
        shown = f"rows {_said(rows, names)}"
    said = f"column {column.name!r}: {n_junk:,} of {n_cells:,} cells are no {column.type}"
    if not serving and n_cells >= _ENOUGH_CELLS and n_junk > _TOO_MUCH_JUNK * n_cells:
        raise SchemaChangedError(
            f"{said}: {shown}", next_step="change the column's type in tilth.yaml, or mend the data"
        )
    yield f"{said} and are read as missing: {shown}"


def _missing_words(column: Column, cells: pa.ChunkedArray, cast: _Cast) -> Iterator[str]:
    """Say which words are read as a missing cell: one of them might be an answer."""
    if not pa.types.is_string(cells.type) or column.type in {ColumnType.IMAGE, ColumnType.TEXT}:
        return
    is_word = pc.and_(pc.and_(pc.is_valid(cells), pc.is_null(cast.column)), pc.not_equal(trimmed(cells), ""))
    lost = cells.filter(pc.and_(is_word, pc.invert(pa.array(cast.junk))))
    if len(lost):
        said = first_three(map(repr, lost.unique().to_pylist()))
        quoted = f" that say {said}" if column.visibility is Visibility.SHOWN else ""
        yield f"column {column.name!r}: {len(lost):,} cells{quoted} are read as missing"


def _shown(cell: object) -> str:
    said = repr(cell)
    return said if len(said) <= 40 else said[:39] + "…"


def _check_roles(
    column: Column, cells: pa.ChunkedArray, cast: pa.ChunkedArray, schema: Schema, names: pa.Array
) -> None:
    if column.role is Role.ID and column.name and cells.null_count < len(cells):
        _check_ids(cast, column)
    if column.role is Role.LABEL and schema.task.is_regression:
        _refuse_infinite_labels(cells, column.name, names)
    elif column.role is Role.LABEL and schema.task.classes:
        _refuse_unknown_classes(cast, column, schema.task.classes, names)


def _check_ids(ids: pa.ChunkedArray, column: Column) -> None:
    name = column.name
    if ids.null_count:
        rows = np.flatnonzero(np.asarray(pc.is_null(ids))) + 1
        raise SourceError(
            f"{len(rows):,} rows have no id",
            where=f"column {name!r}, rows {first_three(rows)}",
            next_step="give each one",
        )
    counts = pc.value_counts(ids.combine_chunks())
    repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist()
    if repeated:
        rows = np.flatnonzero(np.asarray(pc.equal(ids, repeated[0]))) + 1
        quoted = f": {first_three(map(repr, repeated))}" if column.visibility is Visibility.SHOWN else ""
        raise DuplicateIdError(
            f"{len(repeated):,} ids occur more than once{quoted}",
            where=f"column {name!r}, the first in rows {first_three(rows)}",
            next_step="give each row its own id, or leave out --id: rows are then known by their content",
        )


def _refuse_infinite_labels(cells: pa.ChunkedArray, name: str, names: pa.Array) -> None:
    rows = np.flatnonzero(infinite(cells))
    if len(rows):
        raise LabelError(
            f"{len(rows):,} labels are NaN or infinite",
            where=f"column {name!r}, rows {_said(rows, names)}",
            next_step="mend them, or leave the cell empty where the label is not known",
        )


def _refuse_unknown_classes(labels: pa.ChunkedArray, column: Column, classes: tuple[str, ...], names: pa.Array) -> None:
    is_known = pc.or_(pc.is_null(labels), pc.is_in(labels, value_set=pa.array(classes, pa.string())))
    rows = np.flatnonzero(~np.asarray(is_known))
    if len(rows):
        unknown = labels.take(pa.array(rows)).unique().to_pylist()
        is_shown = column.visibility is Visibility.SHOWN
        said = first_three(map(repr, unknown)) if is_shown else f"{len(unknown):,} labels"
        raise LabelError(
            f"{said} {'is' if len(unknown) == 1 else 'are'} no class of the task."
            f"{did_you_mean(unknown[0], classes) if is_shown else ''}",
            where=f"column {column.name!r}, rows {_said(rows, names)}",
            next_step="mend the labels, or add the class in tilth.yaml",
        )


def _said(rows: IntVector, names: pa.Array) -> str:
    return first_three(names[int(row)].as_py() for row in rows)


def _row_names(table: pa.Table, schema: Schema) -> pa.Array:
    """Return how rows are called in messages: by the user's ids where they may be shown, else counted from 1."""
    name = schema.first(Role.ID)
    if name is None or name not in table.column_names or not schema.may_show(name):
        return pa.array(np.arange(1, table.num_rows + 1))
    return as_category(table.column(name)).combine_chunks()
