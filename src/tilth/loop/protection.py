"""Protection: what an operator's edit may not do: touch or copy the rows that judge, or sign as a person.

An edit is checked when it is proposed, before anything is fitted, so that what was refused was never near a score. A row
counts as a copy of a dev or test row when all its feature cells are the same, by digest; a copy with one altered cell is
not seen here, nor is a new label on a train row whose copy stood in dev before: finding leakage is what cures that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import set_cells
from tilth.core.arrays import Mask
from tilth.core.dataset import Dataset
from tilth.core.edit import PERSON, Edit, Verb
from tilth.core.errors import ContractError, ProtectedRowError, first_three
from tilth.core.ids import row_digests
from tilth.core.names import PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, Split
from tilth.loop.frames import trusted_of
from tilth.operators.protocols import Editor
from tilth.operators.registry import spec_of

__all__ = ["refuse_forged", "refuse_protected", "spare_trusted", "without_judges"]

JUDGES = (Split.DEV, Split.TEST)
EDITABLE = (Split.TRAIN, Split.POOL)
RESERVED_CELLS = (ROW_ID, TRUSTED, PARENTS)
"""Columns of tilth's own that only a person's answers, or the store, may set."""
NEXT_STEP = "an operator edits train and pool rows; a person corrects dev and test rows with tilth answer"


def refuse_forged(edit: object, editor: Editor) -> Edit:
    """Return the edit if it is one, signed by the operator that proposed it; raise ContractError otherwise."""
    name = spec_of(editor).name
    if not isinstance(edit, Edit):
        raise ContractError(
            f"{name!r} proposed a {type(edit).__name__}, not an Edit", next_step="return core.edit.Edit"
        )
    if edit.author == PERSON or edit.evaluation:
        raise ContractError(f"{name!r} signed its edit as a person's", next_step="leave author and evaluation out")
    if edit.operator != spec_of(editor):
        raise ContractError(f"{name!r} signed its edit as {edit.operator}", next_step="pass operator=view.spec")
    return edit


def refuse_protected(edit: Edit, dataset: Dataset) -> None:
    """Raise ProtectedRowError if an edit touches, makes or copies rows that judge, or undoes a person's word."""
    reserved = [name for name in RESERVED_CELLS if name in edit.set]
    if reserved:
        raise ContractError(f"the edit sets {first_three(reserved)}, which is not an operator's to set")
    _refuse_judges(edit, dataset)
    _refuse_trusted(edit, dataset)
    _refuse_made_judges(edit)
    _refuse_copies(edit, dataset)


def spare_trusted(edit: Edit, dataset: Dataset) -> Edit:
    """Return an operator's edit without the labels and targets of rows whose label a person confirmed since it was proposed."""
    trusted = dataset.row_ids.filter(pa.array(trusted_of(dataset.read(TRUSTED))))

    def spared(cells: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
        own = {name: cells[name] for name in (dataset.schema.task.label, TARGET) if name in cells}
        kept = {name: t.filter(pc.invert(pc.is_in(t.column(ROW_ID), value_set=trusted))) for name, t in own.items()}
        return {name: table for name, table in {**cells, **kept}.items() if table.num_rows}

    return replace(edit, set=spared(edit.set), expects=spared(edit.expects))


def without_judges(edit: Edit, dataset: Dataset) -> Edit:
    """Return an edit that makes rows without those that came out as the very features of a dev or test row; others as they are.

    Where cells have few values that happens by chance, and it is no reason to refuse all of them.
    """
    names = [column.name for column in dataset.schema.features]
    if edit.verb is not Verb.SYNTHESIZE or edit.add is None or not names:
        return edit
    judges = dataset.read(*names).filter(pa.array(dataset.mask(*JUDGES)))
    known = {row.tobytes() for row in row_digests(judges, names)}
    made = edit.add.select(names).cast(dataset.read(*names).schema)
    fresh = np.array([row.tobytes() not in known for row in row_digests(made, names)], dtype=bool)
    left = edit.add.filter(pa.array(fresh))
    return edit if fresh.all() else replace(edit, add=left if left.num_rows else None)


def _refuse_judges(edit: Edit, dataset: Dataset) -> None:
    """Rows outside train and pool are not an operator's to change or drop."""
    touched = _inside(dataset.row_ids, edit.touched)
    if edit.add is not None:
        touched &= ~_inside(dataset.row_ids, edit.add.column(ROW_ID).combine_chunks())
    _refuse(
        dataset.row_ids, touched & ~dataset.mask(*EDITABLE), "the edit touches {n} rows that are not train or pool rows"
    )


def _refuse_trusted(edit: Edit, dataset: Dataset) -> None:
    """A label that a person confirmed is not an operator's to change; the row may still be dropped or weighted."""
    labels = [edit.set[name].column(ROW_ID) for name in (dataset.schema.task.label, TARGET) if name in edit.set]
    if not labels:
        return
    trusted = trusted_of(dataset.read(TRUSTED))
    named = _inside(dataset.row_ids, pa.concat_arrays([column.combine_chunks() for column in labels]))
    _refuse(dataset.row_ids, named & trusted, "the edit relabels {n} rows whose label a person confirmed")


def _refuse_made_judges(edit: Edit) -> None:
    """Rows may be added to, or moved to, train and pool only: new judges would judge their maker."""
    if edit.add is not None and SPLIT in edit.add.column_names:
        added = edit.add.column(ROW_ID).combine_chunks()
        _refuse(added, _elsewhere(edit.add.column(SPLIT)), "the edit adds {n} rows outside train and pool")
    if SPLIT in edit.set:
        moved = edit.set[SPLIT]
        ids = moved.column(ROW_ID).combine_chunks()
        _refuse(ids, _elsewhere(moved.column("value")), "the edit moves {n} rows out of train and pool")


def _refuse_copies(edit: Edit, dataset: Dataset) -> None:
    names = [column.name for column in dataset.schema.features]
    made = _made_rows(edit, dataset.read(ROW_ID, *names)) if names else []
    if not made:
        return
    judges = dataset.read(*names).filter(pa.array(dataset.mask(*JUDGES)))
    known = {row.tobytes() for row in row_digests(judges, names)}
    for rows in made:
        same = np.array([row.tobytes() in known for row in row_digests(rows, names)], dtype=bool)
        what = "the edit makes {n} rows with the very features of dev or test rows, which judge it"
        _refuse(rows.column(ROW_ID).combine_chunks(), same, what)


def _made_rows(edit: Edit, now: pa.Table) -> list[pa.Table]:
    """Return ids and feature cells of the rows that an edit adds, and of those whose features it sets, as they will be."""
    made = [] if edit.add is None else [edit.add.select(now.column_names).cast(now.schema)]
    cells = {name: edit.set[name] for name in now.column_names if name in edit.set}
    if cells:
        ids = pa.concat_arrays([table.column(ROW_ID).combine_chunks() for table in cells.values()])
        changed = now.filter(pa.array(_inside(now.column(ROW_ID), ids)))
        for name, table in cells.items():
            changed = set_cells(changed, name, table)
        made.append(changed)
    return made


def _inside(ids: pa.Array | pa.ChunkedArray, chosen: pa.Array) -> Mask:
    return np.asarray(pc.is_in(ids, value_set=chosen.cast(ids.type)))


def _elsewhere(splits: pa.ChunkedArray) -> Mask:
    allowed = pa.array([str(split) for split in EDITABLE])
    return ~np.asarray(pc.is_in(splits.cast(pa.string()), value_set=allowed))


def _refuse(ids: pa.Array, forbidden: Mask, what: str) -> None:
    if forbidden.any():
        rows = ids.filter(pa.array(forbidden)).to_pylist()
        raise ProtectedRowError(what.format(n=f"{len(rows):,}"), where=f"rows {first_three(rows)}", next_step=NEXT_STEP)
