"""Starting a project: a source is looked at, and what was inferred is written to tilth.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tilth.core.errors import UsageError
from tilth.core.schema import Role, Schema
from tilth.loop.locations import FILE, STORE, relative, writing
from tilth.loop.project import Project
from tilth.loop.project_file import ProjectFile, write
from tilth.loop.splits import ROW_ORDER, SplitPlan
from tilth.sources import infer_schema, normalise, open_source

__all__ = ["init_project"]


def init_project(
    source: Any,
    *,
    folder: str | Path = ".",
    label: str | None = None,
    classes: Sequence[str] = (),
    id: str | None = None,  # noqa: A002 - the name of the option
    split: str | None = None,
    text: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    embedding: Sequence[str] = (),
    pred_probs: Sequence[str] = (),
    store: str = STORE,
    cut: bool = True,
) -> Project:
    """Write a commented tilth.yaml for a source into a folder and return the project.

    A dataframe is written beside it as source.parquet. Refuses a folder that holds a project already. `store` is where
    versions are kept: a folder, or an address such as s3://bucket/prefix. Without `cut`, every labelled row that names no
    split is a train row: to look into a table, not to try edits on it.
    """
    home = Path(folder)
    if (home / FILE).exists():
        raise UsageError(
            f"there is a {FILE} already", where=str(home), next_step="edit it, or name another folder: --dir"
        )
    raw = open_source(source, may_lack=(label,) if label else ())
    by_order = time == ROW_ORDER and ROW_ORDER not in raw.table.column_names
    found = infer_schema(
        raw.table,
        label=label,
        id=id,
        split=split,
        text=text,
        group=group,
        time=None if by_order else time,
        embedding=embedding,
        pred_probs=pred_probs,
        classes=classes,
    )
    _refuse_at_once(raw.table, found.schema)
    plan = SplitPlan(column=found.schema.first(Role.SPLIT), time=time)
    with writing(home):
        home.mkdir(parents=True, exist_ok=True)
        location = raw.location if raw.location is not None else _keep_dataframe(raw.table, home)
        file = ProjectFile(source=relative(location, home), schema=found.schema, splits=plan, store=store)
        (home / FILE).write_text(write(file, found.notes), encoding="utf-8")
    return Project(home, file, cut=cut, notes=tuple(raw.facts.get("warnings", ())))


def _keep_dataframe(table: pa.Table, home: Path) -> str:
    """Write a dataframe beside tilth.yaml and return where."""
    path = home / "source.parquet"
    if path.exists():
        raise UsageError(
            f"{path.name} is there already, and a dataframe would be written over it",
            where=str(home),
            next_step="name another folder, or the file itself as the source",
        )
    pq.write_table(table, path)
    return str(path)


def _refuse_at_once(table: pa.Table, schema: Schema) -> None:
    """Refuse ids that repeat and labels that are no numbers before anything is written."""
    columns = tuple(c for c in schema.columns if c.role in (Role.ID, Role.LABEL) and c.name in table.column_names)
    if any(column.role is Role.LABEL for column in columns):
        normalise(table.select([column.name for column in columns]), Schema(columns=columns, tasks=schema.tasks))
