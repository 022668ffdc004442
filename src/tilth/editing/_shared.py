"""What the editors have in common: the posterior of the true class, which rows may be doubted, slices aimed at, and Arrow cells."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.numerics.noise import refuse_ignorance, truth_posterior
from tilth.numerics.slice_groups import by_class, spread_slices
from tilth.operators.view import View

Noise = Literal["counted", "confirmed"]
Others = Literal["group", "guessed", "little"]
"""What rows of no slice are: a group of their own, rows whose slice is guessed from the others, or rows that count little."""
LEAST_ROWS = 20
"""Labelled rows below which a slice, or a group, is not aimed at."""
MOST_SLICES = 16

__all__ = [
    "LEAST_ROWS",
    "Noise",
    "Others",
    "aimed_slice",
    "class_cells",
    "doubtable",
    "in_id_order",
    "label_doubt",
    "ranked",
    "refuse_no_slices",
    "refuse_numbers",
    "slice_groups",
    "sparing_classes",
    "truth_of",
]


def truth_of(view: View, noise: Noise = "counted") -> Matrix:
    """Return p(truth | features, given label) of each row (n, k); unlabelled rows keep their prediction.

    `noise`: how the confusion of labels is learnt: counted where predictions and labels part, or confirmed by likelihood.

    Raises
    ------
    NotApplicable
        The label is a number, a person confirmed every label, all are of one class, or the predictions tell nothing.
    """
    if view.schema.task.is_regression:
        raise NotApplicable("it edits class labels, and the label is a number")
    rows = np.flatnonzero(view.labelled)
    if not len(rows):
        raise NotApplicable("no train row has a label")
    if not doubtable(view).any():
        raise NotApplicable("a person confirmed every label: there is none to doubt")
    labels = view.labels[rows]
    if (labels == labels[0]).all():
        raise NotApplicable(f"every label is {view.classes[labels[0]]!r}: none can be taken for another class")
    refuse_ignorance(labels, view.pred_probs[rows])
    truth = np.array(view.pred_probs, dtype=np.float64)
    truth[rows] = (
        truth_posterior(labels, view.pred_probs[rows]) if noise == "counted" else _confirmed(view, rows, labels)
    )
    return truth


def _confirmed(view: View, rows: IntVector, labels: IntVector) -> Matrix:
    """Return p(truth) by confirmed noise; a label that one row alone carries is kept: no model of others can doubt it."""
    truth = np.array(view.truth_probs[rows])
    lone = np.flatnonzero(np.bincount(labels)[labels] == 1)
    truth[lone] = np.eye(view.n_classes)[labels[lone]]
    return truth


def doubtable(view: View) -> Mask:
    """Rows whose label an operator may doubt: labelled, and not confirmed by a person."""
    return view.labelled & ~view.trusted


def label_doubt(labels: IntVector, truth_posterior: Matrix) -> Vector:
    """Return the probability that each given label is wrong; (n,), (n, k) -> (n,) in [0, 1]."""
    own = truth_posterior[np.arange(len(labels)), labels]
    return np.asarray(np.clip(1 - own, 0.0, 1.0))


def ranked(score: Vector, chosen: Mask) -> IntVector:
    """Positions of the chosen rows, highest score first, ties in row order; (n,), (n,) -> (m,)."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-score[rows], kind="stable")]


def sparing_classes(view: View, rows: IntVector) -> IntVector:
    """Leave out the last of the rows of each class that would lose all its rows; a lost class is never predicted again."""
    given = view.labels[rows]
    before = np.bincount(view.labels[view.labelled], minlength=view.n_classes)
    lost = np.unique(given[before[given] == np.bincount(given, minlength=view.n_classes)[given]])
    return np.delete(rows, [int(np.flatnonzero(given == c)[-1]) for c in lost])


def class_cells(view: View, codes: IntVector) -> pa.Array:
    """Class numbers as the class names that the label column holds."""
    return pa.array(np.asarray(view.classes, dtype=object)[codes], pa.string())


def refuse_numbers(view: View) -> IntVector:
    """Return the positions of the labelled rows; raises NotApplicable where the label is a number, or of one class alone."""
    if view.schema.task.is_regression:
        raise NotApplicable("it goes by classes, and the label is a number")
    rows = np.flatnonzero(view.labelled)
    if len(np.unique(view.labels[rows])) < 2:
        raise NotApplicable("the labels name fewer than two classes")
    return rows


def in_id_order(view: View, rows: IntVector) -> IntVector:
    """Return the positions by rising row id: fits then add up in one order, whatever the order of the rows."""
    return rows[np.asarray(pc.sort_indices(view.take_ids(rows))).astype(np.intp)]


def refuse_no_slices(view: View) -> None:
    """Raise NotApplicable where there is no slice: what helps a slice is tried by the slice's score, and there is none."""
    if not view.has("slices") or not view.slices:
        raise NotApplicable("no slice is declared or was discovered")


def aimed_slice(view: View, name: str) -> tuple[str, Vector]:
    """Return the slice of that name, or the worst off for "", and the membership of each row; (n,) in [0, 1].

    Raises
    ------
    NotApplicable
        There is no such slice, fewer than 20 labelled rows are in it, or fewer than 20 are not.
    """
    refuse_no_slices(view)
    aimed = name or next(iter(view.slices))
    if aimed not in view.slices:
        raise NotApplicable(f"there is no slice named {aimed!r}")
    membership = np.where(view.labelled, view.slices[aimed], 0.0)
    inside, labelled = int((membership >= 0.5).sum()), int(view.labelled.sum())
    if inside < LEAST_ROWS:
        raise NotApplicable(f"slice {aimed!r} has {inside:,} labelled rows, fewer than {LEAST_ROWS}")
    if labelled - inside < LEAST_ROWS:
        raise NotApplicable(
            f"slice {aimed!r} has all but {labelled - inside:,} of the labelled rows: there is no other to weigh it against"
        )
    return aimed, membership


def slice_groups(view: View, rows: IntVector, others: Others, *, with_class: bool) -> Matrix:
    """Return the membership of some labelled rows in slices, or in slice × class; (m,) -> (m, g), groups without rows left out.

    `others` says what rows of no slice are; guessed ones need `embeddings`.

    Raises
    ------
    NotApplicable
        There is no slice, every row has one and there are none to guess or count little, or too few rows to guess from.
    """
    refuse_no_slices(view)
    slices = np.column_stack([values[rows] for values in list(view.slices.values())[:MOST_SLICES]])
    known = slices.max(axis=1) >= 0.5
    if others != "group" and known.all():
        raise NotApplicable("every row has a slice: none is to be guessed, or to count little")
    labels = view.labels[rows] if with_class else np.zeros(len(rows), dtype=np.intp)
    if others == "group":
        slices = np.column_stack([slices, np.where(known, 0.0, 1.0)])
    elif others == "guessed":
        counts = np.bincount(slices[known].argmax(axis=1), minlength=slices.shape[1])
        if int(known.sum()) < LEAST_ROWS or int((counts > 0).sum()) < 2:
            raise NotApplicable("too few rows have a slice to guess that of the others from")
        guess = partial(spread_slices, view.embeddings, labels, slices, known, rows)
        slices = view.in_common(("slices guessed", with_class, rows.tobytes()), guess)
    groups = by_class(slices, labels, view.n_classes) if with_class else slices
    return np.asarray(groups[:, groups.sum(axis=0) > 0])
