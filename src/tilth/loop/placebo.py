"""Placebos: the same action on rows drawn at random within class.

What an edit does beyond its placebo is owed to *which* rows it chose, not to doing something to that many rows.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID, WEIGHT
from tilth.operators.protocols import Editor
from tilth.operators.view import View

__all__ = ["placebo", "strata_of"]

NUMBER_BINS = 5
"""Numeric labels are drawn within quantile bins, which stand for classes."""


def strata_of(labels: np.ndarray, is_regression: bool) -> IntVector:
    """Return the stratum of each row within which placebos draw: its class, or its quantile bin."""
    if not is_regression:
        return labels.astype(np.intp)
    edges = np.quantile(labels, np.linspace(0, 1, NUMBER_BINS + 1)[1:-1])
    return np.searchsorted(edges, labels).astype(np.intp)


def placebo(edit: Edit, editor: Editor, view: View, strata: IntVector, rng: np.random.Generator) -> Edit:
    """Return one draw of the placebo of an edit.

    Parameters
    ----------
    edit : the proposal; its rows stand in the view
    editor : the operator that proposed it, whose rule is used on the drawn rows
    view : the operator's view of labelled train rows
    strata : (n,) stratum of each row of the view
    rng : the draw
    """
    if edit.add is not None:
        raise NotApplicable("this editor adds rows, and there is no pool of rows to draw a placebo from")
    if len(edit.drop):
        rows = _same_counts(_positions(view, edit.drop), strata, rng)
        return replace(edit, drop=view.take_ids(rows))
    if set(edit.set) == {WEIGHT}:
        return _permuted_weights(edit, view, strata, rng)
    rows = _same_counts(_positions(view, edit.touched), strata, rng)
    return editor.propose(view, rows)


def _positions(view: View, ids: pa.Array) -> IntVector:
    return np.asarray(pc.drop_null(pc.index_in(ids, value_set=view.ids)), dtype=np.intp)


def _same_counts(chosen: IntVector, strata: IntVector, rng: np.random.Generator) -> IntVector:
    """Draw without replacement as many rows of each stratum as were chosen there."""
    counts = np.bincount(strata[chosen], minlength=int(strata.max(initial=0)) + 1)
    drawn = [rng.choice(np.flatnonzero(strata == s), size=m, replace=False) for s, m in enumerate(counts) if m]
    return np.concatenate(drawn) if drawn else np.zeros(0, dtype=np.intp)


def _permuted_weights(edit: Edit, view: View, strata: IntVector, rng: np.random.Generator) -> Edit:
    """Shuffle the weights (1 where the edit sets none) among the rows of each stratum.

    Weights that are one number per stratum would stay what they are; they are shuffled among all rows.
    """
    cells = edit.set[WEIGHT]
    weights = np.ones(len(view))
    weights[_positions(view, cells.column(ROW_ID).combine_chunks())] = np.asarray(cells.column("value"))
    parts = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    if all(np.ptp(weights[rows]) == 0 for rows in parts):
        parts = [np.arange(len(view))]
    for rows in parts:
        weights[rows] = weights[rng.permutation(rows)]
    shuffled = pa.table({ROW_ID: view.ids, "value": pa.array(weights)})
    return replace(edit, set={WEIGHT: shuffled})
