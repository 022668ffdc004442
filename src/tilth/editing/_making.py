"""What the editors that make rows have in common: which rows may be parents, cells between rows, the gate, and whole rows.

Parents are rows of the source alone: what was made is not made from again. Every made row passes one gate (`numerics.made_rows`),
and the edit's reason says how many did not, and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.draw import Draw
from tilth.core.edit import Edit, target_column
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.names import PARENTS, ROW_ID, TARGET
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType, Role
from tilth.editing._shared import class_cells, in_id_order
from tilth.numerics.made_rows import Gate, audited
from tilth.operators.view import View

__all__ = [
    "BLENDED",
    "MAKER_NEEDS",
    "Draft",
    "anchored",
    "made_edit",
    "parents_of",
    "rare_classes",
    "real_rows",
    "refuse_columns",
    "rows_named",
    "uniforms",
]

MAKER_NEEDS = frozenset({"labels", "numbers", "embeddings", "table", "made", "encode"})
BLENDED = (ColumnType.NUMBER, ColumnType.DATE, ColumnType.EMBEDDING)
"""Types whose cells can stand between two others."""
FEWEST_MADE = 5
"""Rows below which it is not worth a trial."""
COPIED = 0.9
"""Share of made rows that copy real ones, from which all of them are refused."""


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


# -- who may be a parent -----------------------------------------------------------------------------------------------


def real_rows(view: View, rows: IntVector | None = None) -> IntVector:
    """Return the labelled rows of the source, by rising row id; of `rows` alone where these are given.

    Raises
    ------
    NotApplicable
        The label is a number, there are fewer than two classes, or predictions are columns of the user's own.
    """
    if view.schema.task.is_regression:
        raise NotApplicable("it makes rows of classes, and the label is a number")
    if view.schema.with_role(Role.PRED_PROBS):
        raise NotApplicable("the predictions are columns of your own: a made row would have none")
    if not view.schema.features:
        raise NotApplicable("there is no feature column to make cells of")
    if not view.has("encode") or not view.has("made"):
        raise NotApplicable("rows that are not there yet cannot be encoded here")
    mask = view.labelled & ~view.made
    if rows is not None:
        mask = mask & np.isin(np.arange(len(view)), rows)
    found = in_id_order(view, np.flatnonzero(mask))
    if rows is None and len(np.unique(view.labels[found])) < 2:
        raise NotApplicable("the labels name fewer than two classes")
    return found


def rare_classes(view: View, rows: IntVector, least_ratio: float) -> Mapping[int, int]:
    """Return the classes with a `least_ratio`-th of the rows of the largest or fewer, and how many rows each lacks to that size.

    Rows that were made already count.

    Raises
    ------
    NotApplicable
        Classes are of similar size, or the rare ones have one row each, which has no neighbour.
    """
    counts = np.bincount(view.labels[view.labelled], minlength=view.n_classes)
    real = np.bincount(view.labels[rows], minlength=view.n_classes)
    rare = [int(c) for c in np.flatnonzero(real) if counts[c] * least_ratio <= counts.max()]
    if not rare:
        smallest, largest = f"{counts[counts > 0].min():,}", f"{counts.max():,}"
        raise NotApplicable(f"no class is rare: {smallest} rows against {largest}, less than {least_ratio:g} to 1")
    usable = {c: int(counts.max() - counts[c]) for c in rare if real[c] > 1}
    if not usable:
        raise NotApplicable(f"class {view.classes[rare[0]]!r} has one row: nothing can be made between it and another")
    return usable


def refuse_columns(view: View, kinds: Sequence[ColumnType]) -> None:
    """Raise NotApplicable where a feature column is of another type than an editor can make."""
    wrong = [column for column in view.schema.features if column.type not in kinds]
    if wrong:
        raise NotApplicable(f"it makes no cells of type {wrong[0].type} (column {wrong[0].name!r})")


def anchored(view: View, rows: IntVector, times: float, most: int) -> tuple[IntVector, IntVector]:
    """Return the anchors of made rows and their draw numbers: each row `times` times, in all no more than `most`.

    What does not come out even is left to chance by row id. Draw numbers go on from the rows that were made before.
    """
    n = min(round(times * len(rows)), most)
    if n <= 0 or not len(rows):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    order = rows[np.argsort(_draw(view).child("anchors").uniforms(cell_digests(view.take_ids(rows))), kind="stable")]
    return order[np.arange(n) % len(order)], np.arange(n) // len(order) + int(view.made.sum())


def uniforms(view: View, anchors: IntVector, draws: IntVector, width: int, what: str) -> Matrix:
    """Return random numbers (m, width) in [0, 1) that follow from an anchor's id and a draw number."""
    digests = cell_digests(view.take_ids(anchors))
    found = np.zeros((len(anchors), width))
    for draw in np.unique(draws):
        mine = np.flatnonzero(draws == draw)
        found[mine] = _draw(view).child(what, int(draw)).several(digests[mine], width)
    return found


def _draw(view: View) -> Draw:
    """Draws of an operator whatever its strength: what makes more rows makes these first."""
    return Draw(seed=view.seed, step=("made", view.spec.name))


def parents_of(edit: Edit, rows: IntVector | None = None) -> RowSet:
    """Return the rows that an edit's rows are made from, those with most of them first."""
    del rows
    assert edit.add is not None
    names, counts = np.unique(np.concatenate([*edit.add.column(PARENTS).to_pylist()]), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return RowSet(
        ids=pa.array(names[order].tolist(), pa.string()), scores=counts[order].astype(np.float64), reason=edit.reason
    )


def rows_named(n: int) -> str:
    """Return a number of rows in words."""
    return f"{n:,} row" if n == 1 else f"{n:,} rows"


# -- judging, and whole rows -------------------------------------------------------------------------------------------


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
    place = np.full(len(view), -1, dtype=np.intp)
    place[real] = np.arange(len(real))
    return audited(view.embeddings[real], view.labels[real].astype(np.intp), made, targets, place[draft.parents])


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
