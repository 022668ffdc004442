"""The former labels of rows: what they would hold had nobody answered, for rows on which people turn out to disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.compare import table_difference
from tilth.core.edit import PERSON, Edit, Verb
from tilth.core.names import ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.spec import Spec
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["ANSWERS", "without_answers"]

ANSWERS = "answers"
"""Name of the edits that answers make, in the room `people`."""
JUDGES = (str(Split.DEV), str(Split.TEST))


def without_answers(repository: Repository, version: Version, rows: Sequence[str]) -> list[Edit]:
    """Return the edits that give rows back what they held without answers: label, split, soft target, weight, no trust.

    Rows of train and pool come in one edit, rows of dev and test in another; rows that hold just that already come in none.
    """
    if not rows:
        return []
    label = version.schema.task.label
    columns = (ROW_ID, label, SPLIT, TARGET, WEIGHT, TRUSTED)
    ids = pa.array(sorted(rows), pa.string())
    now = _rows(repository, version, columns, ids)
    then = _rows(repository, repository.version(version.base), columns, ids)
    edits = repository.recipe(version).edits
    for edit in edits:
        if not (edit.operator.room == "people" and edit.operator.name == ANSWERS):
            then = _with_cells(then, edit.set)
    changed = table_difference(now, then).changed
    moved = {name: cells.rename_columns([ROW_ID, "value"]) for name, cells in changed.items()}
    splits = now.column(SPLIT).to_pylist()
    is_judging = dict(zip(now.column(ROW_ID).to_pylist(), (split in JUDGES for split in splits), strict=True))
    parts = (_part(moved, (row for row in is_judging if is_judging[row] == judging)) for judging in (False, True))
    return [
        _edit(cells, now, label, is_evaluation=judging)
        for judging, cells in zip((False, True), parts, strict=True)
        if cells
    ]


def _rows(repository: Repository, version: Version, columns: Sequence[str], ids: pa.Array) -> pa.Table:
    dataset = repository.dataset(version)
    here = ids.filter(pc.is_in(ids, value_set=dataset.row_ids))
    return dataset.read(*columns).take(pa.array(dataset.positions(here))).combine_chunks()


def _with_cells(table: pa.Table, cells: Mapping[str, pa.Table]) -> pa.Table:
    """Return the table with those cells of an edit set that its rows and columns hold."""
    for name in (name for name in table.column_names if name in cells):
        at = pc.index_in(table.column(ROW_ID), value_set=cells[name].column(ROW_ID).combine_chunks())
        if at.null_count == len(at):
            continue
        old = table.column(name).combine_chunks()
        new = cells[name].column("value").combine_chunks().cast(old.type)
        both = pa.chunked_array([old, new], type=old.type)
        take = np.where(np.asarray(pc.is_valid(at)), np.asarray(pc.fill_null(at, 0)) + len(old), np.arange(len(old)))
        table = table.set_column(table.column_names.index(name), table.schema.field(name), both.take(pa.array(take)))
    return table


def _part(moved: Mapping[str, pa.Table], rows: Iterable[str]) -> dict[str, pa.Table]:
    mine = pa.array(list(rows), pa.string())
    parts = {name: cells.filter(pc.is_in(cells.column(ROW_ID), value_set=mine)) for name, cells in moved.items()}
    return {name: cells for name, cells in parts.items() if cells.num_rows}


def _edit(cells: Mapping[str, pa.Table], now: pa.Table, label: str, *, is_evaluation: bool) -> Edit:
    expects = {}
    if label in cells:
        ids = cells[label].column(ROW_ID)
        at = pc.index_in(ids, value_set=now.column(ROW_ID).combine_chunks())
        expects[label] = pa.table({ROW_ID: ids, "value": now.column(label).take(at)})
    n = len({row for table in cells.values() for row in table.column(ROW_ID).to_pylist()})
    return Edit(
        verb=Verb.RELABEL,
        operator=Spec(room="people", name=ANSWERS, parameters={"rows": n, "disputed": True}),
        reason=f"{n:,} rows on which people disagree have their former labels back",
        author=PERSON,
        set=cells,
        expects=expects,
        evaluation=is_evaluation,
    )
