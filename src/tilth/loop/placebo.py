"""Placebos: the same action on rows drawn at random within class.

What an edit does beyond its placebo is owed to *which* rows it chose, not to doing something to that many rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, TARGET, TRUSTED, WEIGHT
from tilth.core.policy import Policy
from tilth.operators.protocols import Editor
from tilth.operators.view import View

__all__ = ["placebo", "strata_of"]

MOST_DRAWN = 0.5
"""Share of the rows up to which an edit of soft targets has its rule tried on random rows; beyond it, its targets move."""
NUMBER_BINS = 5
"""Numeric labels are drawn within quantile bins, which stand for classes."""


def strata_of(labels: np.ndarray, is_regression: bool) -> IntVector:
    """Return the stratum of each row within which placebos draw: its class, or its quantile bin."""
    if not is_regression:
        return labels.astype(np.intp)
    if not len(labels):
        return np.zeros(0, dtype=np.intp)
    edges = np.quantile(labels, np.linspace(0, 1, NUMBER_BINS + 1)[1:-1])
    return np.searchsorted(edges, labels).astype(np.intp)


def placebo(
    edit: Edit,
    editor: Editor,
    view: View,
    strata: IntVector,
    rng: np.random.Generator,
    *,
    drawable: Mask | None = None,
    weights: Vector | None = None,
    train: pa.Table | None = None,
) -> Edit:
    """Return one draw of the placebo of an edit.

    Parameters
    ----------
    edit : the proposal; its rows stand in the view
    editor : the operator that proposed it, whose rule is used on the drawn rows
    view : the operator's view
    strata : (n,) stratum of each row of the view
    rng : the draw
    drawable : (n,) rows that may be drawn, default all: labelled train rows, without those whose label a person confirmed
        where the edit leaves such rows alone; the pool, where rows come in from it
    weights : (n,) training weights of the rows as they stand, default 1
    train : the train rows as they stand, of which made rows' parents are duplicated

    Raises
    ------
    NotApplicable
        The edit adds rows that have no parents: there is nothing to draw from.
    """
    if edit.add is not None and train is not None and edit.add.column(PARENTS).null_count == 0:
        return _duplicates(edit, train, rng)
    if edit.add is not None:
        raise NotApplicable("this editor adds rows, and there is no pool of rows to draw a placebo from")
    allowed = np.ones(len(view), dtype=bool) if drawable is None else drawable
    if edit.brings_rows:
        return _other_newcomers(edit, editor, view, rng, allowed)
    if set(edit.set) == {WEIGHT} and not len(edit.drop):
        return _permuted_weights(edit, view, strata, rng, allowed, np.ones(len(view)) if weights is None else weights)
    touched = _positions(view, edit.touched)
    if set(edit.set) == {AUGMENT} and len(touched) > MOST_DRAWN * allowed.sum():
        return _shown_as_they_are(edit, rng)
    if set(edit.set) == {TARGET, WEIGHT}:
        return _shuffled_within_sets(edit, rng)
    if set(edit.set) == {TARGET} and len(touched) > MOST_DRAWN * allowed.sum():
        return _moved_targets(edit, view, strata, rng, allowed)
    rows = _same_counts(touched, strata, rng, allowed)
    if edit.set:
        return editor.propose(view, rows)
    return replace(edit, drop=view.take_ids(rows), expects={})


def _duplicates(edit: Edit, train: pa.Table, rng: np.random.Generator) -> Edit:
    """Return as many duplicates of the same parents, with their labels, targets and weights: one parent of each made row."""
    assert edit.add is not None
    parents = [mine[rng.integers(len(mine))] for mine in edit.add.column(PARENTS).to_pylist()]
    at = pc.index_in(pa.array(parents, pa.string()), value_set=train.column(ROW_ID).combine_chunks())
    rows = train.take(at)
    fresh = {
        ROW_ID: pa.array([f"duplicate {draw} of {parent}" for draw, parent in enumerate(parents)], pa.string()),
        PARENTS: pa.array([[parent] for parent in parents], train.schema.field(PARENTS).type),
        TRUSTED: pa.array([False] * len(parents)),
    }
    for name, cells in fresh.items():
        rows = rows.set_column(
            rows.column_names.index(name), train.schema.field(name), cells.cast(train.schema.field(name).type)
        )
    return replace(edit, add=rows, expects={})


def _positions(view: View, ids: pa.Array) -> IntVector:
    return np.asarray(pc.drop_null(pc.index_in(ids, value_set=view.ids)), dtype=np.intp)


def _same_counts(chosen: IntVector, strata: IntVector, rng: np.random.Generator, allowed: Mask) -> IntVector:
    """Draw without replacement as many rows of each stratum as were chosen there (or all, where there are fewer)."""
    drawn = [np.zeros(0, dtype=np.intp)]
    for stratum, n in zip(*np.unique(strata[chosen], return_counts=True), strict=True):
        rows = np.flatnonzero((strata == stratum) & allowed)
        drawn.append(rng.choice(rows, size=min(n, len(rows)), replace=False))
    return np.concatenate(drawn)


def _moved_targets(edit: Edit, view: View, strata: IntVector, rng: np.random.Generator, allowed: Mask) -> Edit:
    """Give the edit's soft targets to random rows of the same stratum.

    Where most rows are softened, the operator's rule on as many random rows would be the edit itself, and hide any gain.
    """
    cells = edit.set[TARGET]
    chosen = _positions(view, cells.column(ROW_ID).combine_chunks())
    to, of = [], []
    for stratum in np.unique(strata[chosen]):
        rows = np.flatnonzero((strata == stratum) & allowed)
        mine = rng.permutation(np.flatnonzero(strata[chosen] == stratum))[: len(rows)]
        to.append(rng.choice(rows, size=len(mine), replace=False))
        of.append(mine)
    values = cells.column("value").combine_chunks().take(pa.array(np.concatenate(of)))
    return replace(edit, set={TARGET: pa.table({ROW_ID: view.take_ids(np.concatenate(to)), "value": values})})


def _shown_as_they_are(edit: Edit, rng: np.random.Generator) -> Edit:
    """Let the same rows be shown as they are, in a training of its own: where most rows are varied, there are no others to vary.

    Who trains a network sees by it what another draw of the training alone does.
    """
    cells = edit.set[AUGMENT]
    policy = Policy.identity(
        salt=int(rng.integers(1, 2**31)), copies=Policy.from_text(cells["value"][0].as_py()).copies
    )
    same = pa.array([policy.to_text()] * cells.num_rows, pa.string())
    return replace(edit, set={AUGMENT: pa.table({ROW_ID: cells.column(ROW_ID), "value": same})})


def _other_newcomers(edit: Edit, editor: Editor, view: View, rng: np.random.Generator, allowed: Mask) -> Edit:
    """Bring random rows of the pool in by the operator's own rule; where it brings in most that it can, shuffle their targets instead."""
    chosen = _positions(view, edit.touched)
    possible = _positions(view, editor.propose(view, np.flatnonzero(allowed)).touched)
    if len(chosen) <= MOST_DRAWN * len(possible):
        return editor.propose(view, np.sort(rng.choice(possible, size=len(chosen), replace=False)))
    cells = edit.set[TARGET]
    values = cells.column("value").combine_chunks().take(pa.array(rng.permutation(cells.num_rows)))
    return replace(edit, set={**edit.set, TARGET: pa.table({ROW_ID: cells.column(ROW_ID), "value": values})})


def _shuffled_within_sets(edit: Edit, rng: np.random.Generator) -> Edit:
    """Give the same rows one another's targets, each to a row for which the same classes are possible."""
    cells = edit.set[TARGET]
    values = cells.column("value").combine_chunks()
    possible = np.asarray(values.flatten()).reshape(len(values), -1) > 0
    _, alike = np.unique(possible, axis=0, return_inverse=True)
    order = np.arange(len(values))
    for group in range(alike.max(initial=-1) + 1):
        rows = np.flatnonzero(alike == group)
        order[rows] = rng.permutation(rows)
    shuffled = pa.table({ROW_ID: cells.column(ROW_ID), "value": values.take(pa.array(order))})
    return replace(edit, set={**edit.set, TARGET: shuffled})


def _permuted_weights(
    edit: Edit, view: View, strata: IntVector, rng: np.random.Generator, allowed: Mask, weights: Vector
) -> Edit:
    """Shuffle the weights that the edit would leave among the rows of each stratum.

    Weights that are one number per stratum would stay what they are; they are shuffled among all rows.
    """
    cells = edit.set[WEIGHT]
    weights = np.array(weights, dtype=np.float64)
    weights[_positions(view, cells.column(ROW_ID).combine_chunks())] = np.asarray(cells.column("value"))
    parts = [np.flatnonzero((strata == stratum) & allowed) for stratum in np.unique(strata[allowed])]
    if all(np.ptp(weights[rows]) == 0 for rows in parts):
        parts = [np.flatnonzero(allowed)]
    for rows in parts:
        weights[rows] = weights[rng.permutation(rows)]
    shuffled = pa.table({ROW_ID: view.take_ids(allowed), "value": pa.array(weights[allowed])})
    return replace(edit, set={WEIGHT: shuffled})
