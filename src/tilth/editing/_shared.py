"""What the editors have in common: the posterior of the true class, which rows may be doubted, and Arrow cells."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.numerics.noise import refuse_ignorance, truth_posterior
from tilth.operators.view import View

Noise = Literal["counted", "confirmed"]

__all__ = ["Noise", "class_cells", "doubtable", "label_doubt", "ranked", "sparing_classes", "truth_of"]


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
