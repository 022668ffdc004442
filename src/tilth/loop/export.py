"""Export: the data of a version as a file, and beside it the list of what changed since the source, and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
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
from tilth.core.schema import ColumnType, Role, Schema
from tilth.loop.visibility import HIDDEN, may_tell
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Exported", "change_list", "export", "exported_table", "flat_table"]

FORMATS = (".parquet", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Where the data and the list of changes were written, and how many rows and changes they hold."""

    data: Path
    changes: Path
    rows: int
    n_changes: int


def export(
    repository: Repository, version: Version, path: Path, *, check: Callable[[Path], Path] = lambda path: path
) -> Exported:
    """Write a version as .parquet, .csv or a folder of Hugging Face datasets, and `<name>.changes.csv` beside it.

    `check` refuses paths that may not be written to; nothing is written where one of the two files is refused.
    """
    if path.suffix not in ("", *FORMATS):
        raise UsageError(f"{path.suffix!r} is not a format of export", next_step="name a .parquet, a .csv, or a folder")
    beside = check(path.with_name(path.name.removesuffix(path.suffix) + ".changes.csv"))
    table = exported_table(repository, version)
    changes = change_list(repository, version)
    if path.suffix == ".parquet":
        pq.write_table(table, check(path))
    elif path.suffix == ".csv":
        pacsv.write_csv(flat_table(table), check(path))
    else:
        _write_huggingface(table, version.schema, check(_new_folder(path)))
    pacsv.write_csv(changes, beside)
    return Exported(data=path, changes=beside, rows=table.num_rows, n_changes=changes.num_rows)


def exported_table(repository: Repository, version: Version) -> pa.Table:
    """Return row id and split, then the user's columns; training weights and soft targets too where a version has them.

    Columns whose cells may not be shown stay out. A column of tilth's that is called like one of the user's begins with
    `tilth_`, so that nothing of the user's is lost.
    """
    table, schema = repository.dataset(version).read(), version.schema
    mine = [name for name in schema.names if schema.may_show(name)]
    made = {"row_id": table.column(ROW_ID), "split": table.column(SPLIT)}
    last: dict[str, pa.ChunkedArray | pa.Array] = {}
    if table.column(WEIGHT).null_count < table.num_rows:
        last["weight"] = pc.fill_null(table.column(WEIGHT), 1.0)
    if table.column(TARGET).null_count < table.num_rows and may_tell(schema, TARGET):
        last |= _soft_columns(table, schema)
    told = {Role.ID: "row_id", Role.SPLIT: "split"}
    kept = [name for name in mine if told.get(schema.column(name).role) != name]
    columns = {_free(name, kept): values for name, values in made.items()}
    columns |= {name: table.column(name) for name in kept}
    return pa.table(columns | {_free(name, kept): values for name, values in last.items()})


def _free(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"tilth_{name}"
    return name


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
        for line in _changes_of(edit, table, version.schema):
            for name, value in zip(lines, line, strict=True):
                lines[name].append(value)
        table = apply(table, edit)
    return pa.table({name: pa.array(values, pa.string()) for name, values in lines.items()})


def _changes_of(edit: Edit, table: pa.Table, schema: Schema) -> Iterator[tuple[str | None, ...]]:
    for column, cells in edit.set.items():
        ids, values = cells.column(ROW_ID), cells.column("value").to_pylist()
        at = pc.index_in(ids, value_set=table.column(ROW_ID).combine_chunks())
        old = table.column(column).take(at).to_pylist()
        is_told, name = may_tell(schema, column), column.removeprefix("_tilth_")
        for row, before, after in zip(ids.to_pylist(), old, values, strict=True):
            cell = (_text(before), _text(after)) if is_told else (HIDDEN, HIDDEN)
            yield row, name, *cell, edit.edit_id, edit.reason
    for row in edit.drop.to_pylist():
        yield row, None, "present", "dropped", edit.edit_id, edit.reason
    if edit.add is not None:
        for row in edit.add.column(ROW_ID).to_pylist():
            yield row, None, "absent", "added", edit.edit_id, edit.reason


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return " ".join(f"{item:.4g}" for item in value)
    return None if value is None else str(value)


def flat_table(table: pa.Table) -> pa.Table:
    """Return a table that CSV can hold: lists as JSON, which is read back as a list; images cannot be written."""
    for index, name in enumerate(table.column_names):
        kind = table.schema.field(name).type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise UsageError(
                "images cannot be written to CSV", where=f"column {name!r}", next_step="export to .parquet instead"
            )
        if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
            texts = [None if cell is None else json.dumps(cell) for cell in table.column(name).to_pylist()]
            table = table.set_column(index, name, pa.array(texts, pa.string()))
    return table


def _new_folder(path: Path) -> Path:
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
    if path.exists():
        raise UsageError(
            "is there already, and is not written over",
            where=str(path),
            next_step="name a new folder, or a .parquet file",
        )
    return path


def _write_huggingface(table: pa.Table, schema: Schema, folder: Path) -> None:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError(
            "a folder of Hugging Face datasets needs the package datasets",
            next_step="pip install 'tilth[huggingface]', or name a .parquet or .csv file",
        ) from error
    splits = table.column("split").unique().to_pylist()
    parts = {name: table.filter(pc.equal(table.column("split"), name)).drop_columns(["split"]) for name in splits}
    made = {name: datasets.Dataset(datasets.table.InMemoryTable(part)) for name, part in parts.items()}
    images = [c.name for c in schema.columns if c.type is ColumnType.IMAGE and c.name in table.column_names]
    for column in images:
        made = {name: part.cast_column(column, datasets.Image()) for name, part in made.items()}
    has_bars = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        datasets.DatasetDict(made).save_to_disk(str(folder))
    finally:
        if has_bars:
            datasets.enable_progress_bars()
