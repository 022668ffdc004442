"""Of which rows others are made: parents, rare classes, how many, and the random numbers that each draws.

Parents are rows of the source alone: what was made is not made from again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.draw import Draw
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.names import PARENTS
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType, Role
from tilth.editing._shared import in_id_order
from tilth.operators.view import View

__all__ = [
    "BLENDED",
    "MAKER_NEEDS",
    "anchored",
    "anchored_inside",
    "parents_of",
    "rare_classes",
    "real_rows",
    "refuse_columns",
    "refuse_many",
    "rows_named",
    "uniforms",
]

MAKER_NEEDS = frozenset({"labels", "numbers", "embeddings", "table", "made", "encode"})
BLENDED = (ColumnType.NUMBER, ColumnType.DATE, ColumnType.EMBEDDING)
"""Types whose cells can stand between two others."""
MOST_REAL = 5_000
"""Labelled rows up to which rows are mixed, or texts recombined, unasked."""
MOST_MADE, MOST_IMAGES = 5_000, 500
"""Rows that one edit makes at most: every one is judged beside all real rows, once for each fold of a forecast."""


def refuse_many(real: IntVector) -> None:
    """Raise NotApplicable where rows are so many that rows between them were never measured to help, and take long to judge."""
    if len(real) > MOST_REAL:
        raise NotApplicable(
            f"{len(real):,} labelled rows are more than {MOST_REAL:,}: rows between them tell little that is new"
        )


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
    """Return the anchors of made rows and their draw numbers: each row `times` times, in all no more than `most`, and 5,000.

    What does not come out even is left to chance by row id. Draw numbers go on from the rows that were made before.
    """
    has_images = any(column.type is ColumnType.IMAGE for column in view.schema.features)
    n = min(round(times * len(rows)), most, MOST_IMAGES if has_images else MOST_MADE)
    if n <= 0 or not len(rows):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    order = rows[np.argsort(_draw(view).child("anchors").uniforms(cell_digests(view.take_ids(rows))), kind="stable")]
    return order[np.arange(n) % len(order)], np.arange(n) // len(order) + int(view.made.sum())


def anchored_inside(
    view: View, name: str, inside: IntVector, times: float, rows: IntVector | None
) -> tuple[IntVector, IntVector, IntVector]:
    """Return the rows of a group with another of their class in it (r,), and anchors (m,) and draws (m,) among these, as `anchored` does.

    With `rows`, anchors are among these alone.

    Raises
    ------
    NotApplicable
        No row is left to make one from; it calls the group by `name`.
    """
    sizes = np.bincount(view.labels[inside].astype(np.intp), minlength=view.n_classes)
    inside = inside[sizes[view.labels[inside].astype(np.intp)] > 1]
    mine = inside if rows is None else np.intersect1d(inside, rows)
    if not len(mine):
        raise NotApplicable(f"{name} has no two rows of one class to make a third from")
    return inside, *anchored(view, mine, times, round(times * len(mine)))


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
