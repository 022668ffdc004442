"""Rows that were made, from draft to edit: every one passes one gate (`numerics.made_rows`), and becomes a whole row.

The edit's reason says how many did not pass, and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix, evenly, rows_of
from tilth.core.edit import Edit, target_column
from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS, ROW_ID, TARGET
from tilth.core.schema import Role
from tilth.editing._making import rows_named
from tilth.editing._shared import class_cells
from tilth.numerics.made_rows import Gate, audited
from tilth.operators.view import View

__all__ = ["Draft", "joined", "made_edit"]

FEWEST_MADE = 5
"""Rows below which it is not worth a trial."""
COPIED = 0.9
"""Share of made rows that copy real ones, from which all of them are refused."""
MOST_BESIDE = 100_000
"""Real rows beside which made ones are judged: what copies a row copies its parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Rows that were made and not yet judged.

    Attributes
    ----------
    cells : feature column -> (m,) cells
    parents : (m, p) positions in the view of the rows that each was made from; one may stand twice
    draws : (m,) draw numbers, different for rows of the same parents
    labels : (m,) class numbers; or with `targets` (m, k), rows whose class is a mixture, nothing
    """

    cells: Mapping[str, pa.Array]
    parents: IntVector
    draws: IntVector
    labels: IntVector
    targets: Matrix | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.parents)

    def take(self, rows: IntVector) -> Draft:
        """Return some of the rows."""
        return Draft(
            cells={name: cells.take(pa.array(rows)) for name, cells in self.cells.items()},
            parents=self.parents[rows],
            draws=self.draws[rows],
            labels=self.labels[rows],
            targets=None if self.targets is None else self.targets[rows],
        )


def joined(drafts: Sequence[Draft]) -> Draft:
    """Return several drafts of hard labels as one."""
    return Draft(
        cells={name: pa.concat_arrays([draft.cells[name] for draft in drafts]) for name in drafts[0].cells},
        parents=np.concatenate([draft.parents for draft in drafts]),
        draws=np.concatenate([draft.draws for draft in drafts]),
        labels=np.concatenate([draft.labels for draft in drafts]),
    )


def made_edit(view: View, draft: Draft, real: IntVector, *, what: str, more: Sequence[str] = ()) -> Edit:
    """Return the edit that brings those rows of a draft in that pass the gate.

    Parameters
    ----------
    view : the operator's
    draft : the rows
    real : positions of the real rows that they are to stand among, by rising row id
    what : how they were made, as the reason says it
    more : what else the reason says is left out, and why

    Raises
    ------
    NotApplicable
        There is none, all but a few copy real rows, or too few pass.
    """
    fresh = _unknown(draft)
    draft = draft.take(fresh)
    if not len(draft):
        raise NotApplicable("; ".join(["it made no row", *more]))
    gate = _judged(view, draft, real)
    said = [*more, *_left_out(gate)]
    if gate.copies.mean() >= COPIED:
        n = int(gate.copies.sum())
        raise NotApplicable(
            f"it only copies: {n:,} of {len(draft):,} made rows are as near to a real row as its copies are"
        )
    kept = draft.take(np.flatnonzero(gate.kept))
    if len(kept) < FEWEST_MADE:
        raise NotApplicable("; ".join([f"{len(kept):,} of {len(draft):,} made rows pass the gate", *said]))
    parents = np.unique(kept.parents)
    reason = f"{rows_named(len(kept))} of {_of_classes(view, kept)} {what}, from {rows_named(len(parents))}"
    reason += f"; told from real ones with AUROC {gate.auroc:.2f}"
    reason += f"; left out: {', '.join(said)}" if said else ""
    ids = view.take_ids(parents)
    held = pa.table({ROW_ID: ids, "value": class_cells(view, view.labels[parents])})
    expects = {view.schema.task.label: held}
    return Edit.synthesizing(_whole(view, kept), kept.draws, operator=view.spec, reason=reason, expects=expects)


def _unknown(draft: Draft) -> IntVector:
    """Rows of the draft whose like is not there twice: the same parents in another order with the same draw number."""
    seen: set[tuple[object, ...]] = set()
    fresh = []
    for row, (mine, draw) in enumerate(zip(np.sort(draft.parents, axis=1).tolist(), draft.draws.tolist(), strict=True)):
        key = (*sorted(set(mine)), draw)
        if key not in seen:
            seen.add(key)
            fresh.append(row)
    return np.array(fresh, dtype=np.intp)


def _judged(view: View, draft: Draft, real: IntVector) -> Gate:
    made = view.encode(pa.table(dict(draft.cells)))
    targets = np.eye(view.n_classes)[draft.labels] if draft.targets is None else draft.targets
    real = _beside(real, draft.parents)
    place = np.full(len(view), -1, dtype=np.intp)
    place[real] = np.arange(len(real))
    return audited(
        rows_of(view.embeddings, real), view.labels[real].astype(np.intp), made, targets, place[draft.parents]
    )


def _beside(real: IntVector, parents: IntVector) -> IntVector:
    """Return the real rows beside which made ones are judged: all, or of very many the parents and others evenly through their order."""
    if len(real) <= MOST_BESIDE:
        return real
    some = np.zeros(len(real), dtype=bool)
    some[evenly(len(real), MOST_BESIDE)] = True
    return real[some | np.isin(real, parents)]


def _left_out(gate: Gate) -> list[str]:
    facts = {
        "too near to a real row": gate.copies,
        "surely told from real ones": gate.unreal,
        "taken for another class": gate.disagreeing,
    }
    return [f"{int(mask.sum()):,} {why}" for why, mask in facts.items() if mask.any()]


def _of_classes(view: View, draft: Draft) -> str:
    if draft.targets is not None:
        return "mixed classes"
    codes, counts = np.unique(draft.labels, return_counts=True)
    names = [repr(view.classes[c]) for c in codes[np.argsort(-counts, kind="stable")]]
    return (
        f"class {names[0]}"
        if len(names) == 1
        else f"{len(names)} classes ({', '.join(names[:3])}{', …' * (len(names) > 3)})"
    )


def _whole(view: View, draft: Draft) -> pa.Table:
    """Return the user's columns with the label, targets and parents; a group that all parents share stays, other roles are missing."""
    m, task = len(draft), view.schema.task
    columns: dict[str, pa.Array] = {}
    for column in view.schema.columns:
        if column.name == task.label:
            continue
        if column.name in draft.cells:
            columns[column.name] = draft.cells[column.name]
        elif column.role is Role.GROUP:
            columns[column.name] = _shared_cell(view.table.column(column.name), draft.parents)
        else:
            columns[column.name] = pa.nulls(m, view.table.schema.field(column.name).type)
    soft = draft.targets is not None
    columns[task.label] = pa.nulls(m, pa.string()) if soft else class_cells(view, draft.labels)
    targets = np.zeros((m, max(task.n_classes, 1))) if draft.targets is None else draft.targets
    cells = target_column(targets)
    columns[TARGET] = cells if soft else pa.nulls(m, cells.type)
    columns[PARENTS] = _parents(view, draft.parents)
    return pa.table(columns)


def _shared_cell(column: pa.ChunkedArray, parents: IntVector) -> pa.Array:
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    codes = np.asarray(pc.fill_null(pc.index_in(cells, value_set=pc.drop_null(cells.unique())), -1))[parents]
    alike: Mask = (codes == codes[:, :1]).all(axis=1)
    return cells.take(pa.array(parents[:, 0], mask=~alike))


def _parents(view: View, parents: IntVector) -> pa.Array:
    names = np.asarray(view.ids.to_pylist(), dtype=object)
    return pa.array([sorted(set(names[mine])) for mine in parents], pa.list_(pa.string()))
