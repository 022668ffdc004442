"""What the editors of labels have in common: the posterior of the true class, and labels as Arrow cells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.errors import NotApplicable
from tilth.numerics.noise import confident_joint, noise_transition, posterior
from tilth.operators.view import View

__all__ = ["class_cells", "editable", "label_posterior", "positions_of", "ranked"]


def label_posterior(labels: IntVector, pred_probs: Matrix, labelled: Mask) -> Matrix:
    """Return p(truth | features, given label) for each labelled row; (n,), (n, k), (n,) -> (n, k).

    The noise transition comes from the confident joint of these same rows (Northcutt et al. 2021); unlabelled rows keep
    their prediction.
    """
    rows = np.flatnonzero(labelled)
    transition = noise_transition(confident_joint(labels[rows], pred_probs[rows]))
    result = np.array(pred_probs, dtype=np.float64)
    result[rows] = posterior(pred_probs[rows], labels[rows], transition)
    return result


def editable(view: View) -> Mask:
    """Rows whose label an operator may doubt: labelled, and not confirmed by a person."""
    if view.schema.task.is_regression:
        raise NotApplicable("it edits class labels, and the label is a number")
    return view.labelled & ~view.trusted


def ranked(score: np.ndarray, chosen: Mask) -> IntVector:
    """Positions of the chosen rows, highest score first, ties in row order."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-score[rows], kind="stable")]


def class_cells(view: View, codes: IntVector) -> pa.Array:
    """Class numbers as the class names that the label column holds."""
    return pa.array(np.asarray(view.classes, dtype=object)[codes], pa.string())


def positions_of(view: View, ids: pa.Array) -> IntVector:
    """Positions in the view of row ids; ids of other rows are left out."""
    found = pc.drop_null(pc.index_in(ids, value_set=view.ids))
    return np.asarray(found, dtype=np.intp)
