"""Apply an edit to a table: pure and in memory, used by every trial; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.edit import PERSON, Edit
from tilth.core.errors import EditConflictError, ProtectedRowError, first_three
from tilth.core.ids import column_digests
from tilth.core.names import PARENTS, ROW_ID, SPLIT, Split

__all__ = ["apply", "fit_to", "inverse", "set_cells"]

PROTECTED = (str(Split.DEV), str(Split.TEST))


def apply(table: pa.Table, edit: Edit) -> pa.Table:
    """Return the table with the edit made; the input stays as it is.

    Rows keep their order, added rows come last, and what was made from a dropped row is dropped with it.

    Raises
    ------
    ProtectedRowError
        The edit touches dev or test rows and is not a person's correction of them.
    EditConflictError
        It names rows or columns that the table does not hold.
    """
    _refuse_protected(table, edit)
    for column, cells in edit.set.items():
        table = set_cells(table, column, cells)
    left = _drop(table, edit.drop) if len(edit.drop) else table
    if edit.add is None:
        return left
    _refuse_orphans(edit, gone=set(table.column(ROW_ID).to_pylist()) - set(left.column(ROW_ID).to_pylist()))
    return _add(left, edit.add)


def set_cells(table: pa.Table, column: str, cells: pa.Table) -> pa.Table:
    """Return the table with the cells (`_tilth_id`, `value`) of one column set."""
    if column not in table.column_names:
        raise EditConflictError(f"the edit sets column {column!r}, which this version does not have")
    where = _positions(table, cells.column(ROW_ID))
    old = table.column(column).combine_chunks()
    source = np.arange(table.num_rows)
    source[where] = table.num_rows + np.arange(len(where))
    new = cells.column("value").combine_chunks().cast(old.type)
    merged = pa.chunked_array([old, new], type=old.type).take(pa.array(source))
    return table.set_column(table.column_names.index(column), table.schema.field(column), merged)


def fit_to(table: pa.Table, edit: Edit) -> tuple[Edit, int]:
    """Return the part of an edit that fits another version, and how many of its rows do not.

    Left out are rows that are gone, rows whose cell is no longer what the edit expected, and of the rows that it adds
    those that are there already and those whose parents are gone, or no longer hold what the edit expected.
    """
    present = table.column(ROW_ID)
    stale = _stale(table, edit.expects)
    keep = {name: _without(cells, present, stale) for name, cells in edit.set.items()}
    drop = edit.drop.filter(pc.is_in(edit.drop, value_set=present.combine_chunks()))
    fitted = Edit(
        verb=edit.verb,
        operator=edit.operator,
        reason=edit.reason,
        author=edit.author,
        drop=drop,
        set={name: cells for name, cells in keep.items() if cells.num_rows},
        add=None if edit.add is None else _addable(edit.add, table, drop, stale),
        expects={name: _without(cells, present, stale) for name, cells in edit.expects.items()},
        evaluation=edit.evaluation,
    )
    return fitted, edit.n_rows - fitted.n_rows


def inverse(table: pa.Table, edit: Edit) -> Edit:
    """Return the edit that takes `apply(table, edit)` back to the table."""
    gone = table.filter(_dropped(table, edit.drop)) if len(edit.drop) else None
    old = {}
    for column, cells in edit.set.items():
        ids = cells.column(ROW_ID)
        if gone is not None:  # rows that come back whole need no cells
            ids = ids.filter(pc.invert(pc.is_in(ids, value_set=gone.column(ROW_ID).combine_chunks())))
        where = pa.array(_positions(table, ids))
        old[column] = pa.table({ROW_ID: ids, "value": table.column(column).take(where)})
    added = edit.add.column(ROW_ID).combine_chunks() if edit.add is not None else pa.array([], pa.string())
    return Edit(
        verb=edit.verb,
        operator=edit.operator,
        reason=f"takes back {edit.edit_id}",
        author=PERSON,
        drop=added,
        set=old,
        add=gone,
        evaluation=edit.evaluation,
    )


def _refuse_protected(table: pa.Table, edit: Edit) -> None:
    if edit.evaluation and edit.author == PERSON:
        return
    inside = pc.is_in(table.column(ROW_ID), value_set=edit.touched)
    rows = _judging(table.filter(inside), SPLIT)
    if SPLIT in edit.set:
        rows += _judging(edit.set[SPLIT], "value")
    if edit.add is not None:
        rows += _judging(edit.add, SPLIT)
    if rows:
        raise ProtectedRowError(
            f"the edit {edit.edit_id} touches {len(rows):,} dev or test rows, which judge it",
            where=f"rows {first_three(rows)}",
            next_step="an edit may touch train and pool rows; a person corrects dev and test rows with tilth answer",
        )


def _judging(rows: pa.Table, splits: str) -> list[str]:
    """Ids of the rows that stand in dev or test."""
    is_judging = pc.is_in(rows.column(splits), value_set=pa.array(PROTECTED))
    ids: list[str] = rows.column(ROW_ID).filter(is_judging).to_pylist()
    return ids


def _positions(table: pa.Table, ids: pa.ChunkedArray) -> np.ndarray:
    found = pc.index_in(ids, value_set=table.column(ROW_ID).combine_chunks())
    if found.null_count:
        unknown = ids.filter(pc.is_null(found)).to_pylist()
        raise EditConflictError(
            f"the edit names {len(unknown):,} rows that this version does not hold",
            where=f"rows {first_three(unknown)}",
            next_step="replay it with tilth run, which leaves out rows that are gone",
        )
    return np.asarray(found, dtype=np.intp)


def _dropped(table: pa.Table, ids: pa.Array) -> Mask:
    """Rows that are dropped, and rows made from them, and rows made from those."""
    gone = np.asarray(pc.is_in(table.column(ROW_ID), value_set=ids))
    if table.column(PARENTS).null_count == table.num_rows:
        return gone
    parents = table.column(PARENTS).to_pylist()
    names = table.column(ROW_ID).to_pylist()
    dead = {name for name, out in zip(names, gone, strict=True) if out}
    while True:
        more = {n for n, p in zip(names, parents, strict=True) if p and n not in dead and not dead.isdisjoint(p)}
        if not more:
            return np.array([name in dead for name in names])
        dead |= more


def _drop(table: pa.Table, ids: pa.Array) -> pa.Table:
    _positions(table, pa.chunked_array([ids]))
    return table.filter(pa.array(~_dropped(table, ids)))


def _add(table: pa.Table, rows: pa.Table) -> pa.Table:
    clash = pc.is_in(rows.column(ROW_ID), value_set=table.column(ROW_ID).combine_chunks())
    if pc.any(clash).as_py():
        again = rows.column(ROW_ID).filter(clash).to_pylist()
        raise EditConflictError("the edit adds rows that are already there", where=f"rows {first_three(again)}")
    return pa.concat_tables([table, rows.select(table.column_names).cast(table.schema)]).combine_chunks()


def _refuse_orphans(edit: Edit, gone: set[str]) -> None:
    """Refuse rows made from rows that go with the same edit: removing a row removes what came from it, however late."""
    assert edit.add is not None
    lines = zip(edit.add.column(ROW_ID).to_pylist(), edit.add.column(PARENTS).to_pylist(), strict=True)
    orphans = [row for row, parents in lines if parents and not gone.isdisjoint(parents)]
    if orphans:
        raise EditConflictError(
            "the edit adds rows made from rows that it drops",
            where=f"rows {first_three(orphans)}",
            next_step="keep the parents, or leave the made rows out",
        )


def _addable(rows: pa.Table, table: pa.Table, drop: pa.Array, stale: pa.Array) -> pa.Table | None:
    """The added rows that are new and whose parents are there as they were, or are added with them."""
    changed = set(stale.to_pylist())
    stays = pa.array(~_dropped(table, drop))
    there = set(table.column(ROW_ID).filter(stays).to_pylist())
    lines = dict(zip(rows.column(ROW_ID).to_pylist(), rows.column(PARENTS).to_pylist(), strict=True))
    added: set[str] = set()
    while True:
        known = there | added
        more = {
            row
            for row, parents in lines.items()
            if row not in known and known.issuperset(parents or ()) and changed.isdisjoint(parents or ())
        }
        if not more:
            break
        added |= more
    kept = rows.filter(pa.array([row in added for row in lines], pa.bool_()))
    return kept if kept.num_rows else None


def _stale(table: pa.Table, expects: Mapping[str, pa.Table]) -> pa.Array:
    """Ids of rows whose cells are no longer what the edit expected."""
    stale: list[pa.Array] = []
    for column, cells in expects.items():
        found = pc.index_in(cells.column(ROW_ID), value_set=table.column(ROW_ID).combine_chunks())
        there = cells.filter(pc.is_valid(found))
        now = pa.table({"value": table.column(column).take(pc.drop_null(found))})
        then = pa.table({"value": there.column("value").cast(table.schema.field(column).type)})
        differs = (column_digests(now, "value") != column_digests(then, "value")).any(axis=1)
        stale.append(there.column(ROW_ID).filter(pa.array(differs)).combine_chunks())
    return pa.concat_arrays(stale) if stale else pa.array([], pa.string())


def _without(cells: pa.Table, present: pa.ChunkedArray, stale: pa.Array) -> pa.Table:
    here = pc.is_in(cells.column(ROW_ID), value_set=present.combine_chunks())
    fresh = pc.invert(pc.is_in(cells.column(ROW_ID), value_set=stale))
    return cells.filter(pc.and_(here, fresh))
