"""Export: the data of a version as a file, and beside it the list of what changed since the source, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from tilth.core.apply import apply
from tilth.core.edit import Edit
from tilth.core.errors import MissingExtraError, UsageError
from tilth.core.names import ROW_ID, SPLIT, TARGET, WEIGHT
from tilth.core.schema import Role, Schema, Visibility
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Exported", "change_list", "export", "exported_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Where the data and the list of changes were written, and how many rows and changes they hold."""

    data: Path
    changes: Path
    rows: int
    n_changes: int


def export(repository: Repository, version: Version, path: Path) -> Exported:
    """Write a version as .parquet, .csv or a folder of Hugging Face datasets, and `<name>.changes.csv` beside it."""
    table = exported_table(repository, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        pacsv.write_csv(_flat(table), path)
    elif not path.suffix:
        _write_huggingface(table, path)
    else:
        raise UsageError(f"{path.suffix!r} is not a format of export", next_step="name a .parquet, a .csv, or a folder")
    changes = change_list(repository, version)
    beside = path.with_name(path.name.removesuffix(path.suffix) + ".changes.csv")
    pacsv.write_csv(changes, beside)
    return Exported(data=path, changes=beside, rows=table.num_rows, n_changes=changes.num_rows)


def exported_table(repository: Repository, version: Version) -> pa.Table:
    """Return row id, split and the user's columns; soft targets and weights too where a version has them.

    Columns whose visibility is hidden stay out: the door that shows rows does not show them.
    """
    table = repository.dataset(version).read()
    schema = version.schema
    hidden = {c.name for c in schema.columns if c.visibility is Visibility.HIDDEN}
    columns = {"row_id": table.column(ROW_ID), "split": table.column(SPLIT)}
    columns |= {n: table.column(n) for n in schema.names if n not in hidden and _is_new(n, schema, columns)}
    if table.column(WEIGHT).null_count < table.num_rows:
        columns["weight"] = pc.fill_null(table.column(WEIGHT), 1.0)
    if table.column(TARGET).null_count < table.num_rows:
        columns |= _soft_columns(table, schema)
    return pa.table(columns)


def _is_new(name: str, schema: Schema, taken: dict[str, pa.ChunkedArray]) -> bool:
    """The user's own id and split columns are told already."""
    return name not in taken and schema.column(name).role is not Role.ID


def _soft_columns(table: pa.Table, schema: Schema) -> dict[str, pa.Array]:
    column = table.column(TARGET).combine_chunks()
    rows = np.flatnonzero(np.asarray(column.is_valid()))
    values = np.full((table.num_rows, schema.task.n_classes), np.nan)
    values[rows] = np.asarray(column.take(pa.array(rows)).flatten()).reshape(len(rows), -1)
    return {f"target_{c}": pa.array(values[:, i], from_pandas=True) for i, c in enumerate(schema.task.classes)}


def change_list(repository: Repository, version: Version) -> pa.Table:
    """Return the changes since the source in order: row id, column, old, new, edit, why."""
    lines: dict[str, list[str | None]] = {n: [] for n in ("row_id", "column", "old", "new", "edit", "why")}
    table = repository.dataset(repository.version(version.base)).read()
    for edit in repository.recipe(version).edits:
        for line in _changes_of(edit, table):
            for name, value in zip(lines, line, strict=True):
                lines[name].append(value)
        table = apply(table, edit)
    return pa.table({name: pa.array(values, pa.string()) for name, values in lines.items()})


def _changes_of(edit: Edit, table: pa.Table) -> Iterator[tuple[str | None, ...]]:
    for column, cells in edit.set.items():
        at = pc.index_in(cells.column(ROW_ID), value_set=table.column(ROW_ID).combine_chunks())
        old = table.column(column).take(at).to_pylist()
        new = cells.column("value").to_pylist()
        for row, before, after in zip(cells.column(ROW_ID).to_pylist(), old, new, strict=True):
            yield row, column.removeprefix("_tilth_"), _text(before), _text(after), edit.edit_id, edit.reason
    for row in edit.drop.to_pylist():
        yield row, None, "present", "dropped", edit.edit_id, edit.reason
    if edit.add is not None:
        for row in edit.add.column(ROW_ID).to_pylist():
            yield row, None, "absent", "added", edit.edit_id, edit.reason


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return " ".join(f"{item:.4g}" for item in value)
    return None if value is None else str(value)


def _flat(table: pa.Table) -> pa.Table:
    """Return a table that CSV can hold: lists as texts of numbers; images cannot be written."""
    for index, name in enumerate(table.column_names):
        kind = table.schema.field(name).type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise UsageError(f"column {name!r} holds images, which CSV cannot", next_step="export to .parquet")
        if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
            texts = pa.array([_text(value) for value in table.column(name).to_pylist()], pa.string())
            table = table.set_column(index, name, texts)
    return table


def _write_huggingface(table: pa.Table, folder: Path) -> None:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError(
            "a folder of Hugging Face datasets needs the package datasets", next_step="pip install 'tilth[huggingface]'"
        ) from error
    splits = table.column("split").unique().to_pylist()
    parts = {name: table.filter(pc.equal(table.column("split"), name)) for name in splits}
    made = datasets.DatasetDict({name: datasets.Dataset(part.drop_columns(["split"])) for name, part in parts.items()})
    made.save_to_disk(str(folder))
