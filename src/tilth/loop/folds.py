"""Folds of labelled train rows: what must not stand on two sides stands on one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask
from tilth.core.names import PARENTS, ROW_ID
from tilth.learning._crossfit import FOLDS, fold_numbers
from tilth.loop.bench import Bench
from tilth.loop.frames import made_rows, standing_together, target_of, train_rows

__all__ = ["apart_from", "folds_of", "together_of", "with_families"]


def folds_of(bench: Bench, rows: IntVector) -> IntVector:
    """Return the fold of each row; classes are spread evenly, and groups, or else rows with equal cells, stand together.

    `rows` are positions in the bench's train table.
    """
    part = bench.train.take(pa.array(rows))
    ids = part.column(ROW_ID).combine_chunks()
    together = together_of(bench, rows)
    return fold_numbers(ids, target_of(part, bench.schema), groups=together, n_folds=FOLDS, seed=bench.seed)


def together_of(bench: Bench, rows: IntVector) -> IntVector:
    """Return codes 0 … of rows that belong together: groups, or else rows with equal cells."""
    groups = None if bench.groups is None else bench.groups[np.flatnonzero(train_rows(bench.table))[rows]]
    names = [column.name for column in bench.schema.features]
    return standing_together(groups, lambda: bench.train.select(names).take(pa.array(rows)))


def with_families(table: pa.Table, folds: IntVector) -> tuple[IntVector, Mask | None]:
    """Return the folds of rows, made rows in that of their first parent, and who may not be learnt from beside a fold's own rows.

    A made row tells of its parents: where one of them is held out, it is not learnt from. Rows made from two folds can be in one of
    them only, so that their own predictions may come from a model that saw the other parent; those of source rows never do.

    Parameters
    ----------
    table : n rows with their ids and parents
    folds : (n,) fold of each

    Returns
    -------
    (n,) folds; (n, n_folds) rows that are barred where a fold is held out, None where no row was made
    """
    if not made_rows(table).any():
        return folds, None
    names, parents = table.column(ROW_ID).to_pylist(), table.column(PARENTS).to_pylist()
    at = {name: row for row, name in enumerate(names)}
    barred = np.eye(int(folds.max()) + 1, dtype=bool)[folds]
    moved = folds.copy()
    for row in _parents_first(parents, at):
        known = [at[parent] for parent in parents[row] if parent in at]
        if known:
            moved[row] = moved[known[0]]
            barred[row] = barred[known].any(axis=0)
    return moved, barred


def _parents_first(parents: list[list[str] | None], at: dict[str, int]) -> list[int]:
    """Return the made rows, each after those that it was made from."""
    order: list[int] = []
    waiting = {row for row, mine in enumerate(parents) if mine}
    while waiting:
        ready = sorted(r for r in waiting if waiting.isdisjoint(at.get(p, -1) for p in parents[r] or ()))
        if not ready:  # a circle can only have been written by hand
            return order
        order += ready
        waiting -= set(ready)
    return order


def apart_from(table: pa.Table, rows: IntVector, held: IntVector) -> IntVector:
    """Return those of some rows that are not made from held ones, however late; positions in a table -> positions."""
    if not made_rows(table).any():
        return rows
    sides = np.ones(table.num_rows, dtype=np.intp)
    sides[held] = 0
    _, barred = with_families(table.select([ROW_ID, PARENTS]), sides)
    assert barred is not None
    return np.asarray(rows[~barred[rows, 0]])
