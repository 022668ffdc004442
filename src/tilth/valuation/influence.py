"""Influence: what the linear classifier would lose on reference rows if a row were left out.

    value_i = g · H⁻¹ ∇loss_i
    g = mean gradient over the reference rows of 1 - p(label), or of -ln p(label)
    H = Hessian of the penalised training loss; one conjugate-gradient solve of H v = g serves all rows

Positive = without the row the reference rows fare worse: it helps. (Koh and Liang's influence has the other sign.)

Reference rows carry wrong labels as often as the others do. By the loss that the model is fitted with, -ln p(label), a
model that yields to wrong labels suits such references best, and the rows that made it yield are worth as much as the
right ones. 1 - p(label) tolerates wrong labels that are spread evenly, and is what accuracy measures.

Source: Koh, Liang (2017), Understanding black-box predictions via influence functions, ICML, equation 2; Ghosh, Kumar,
Sastry (2017), Robust loss functions under label noise for deep neural networks, AAAI, theorem 1 (1 - p tolerates noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.numerics import softmax_regression
from tilth.valuation._shared import (
    Loss,
    check_loss,
    check_sides,
    conjugate_gradient,
    cross_fitted,
    labelled_rows,
    refuse_one_class,
    refuse_regression,
    values_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Matrix, Vector
    from tilth.core.values import Values
    from tilth.numerics.softmax_regression import Design, SoftmaxFit
    from tilth.operators.view import Scope, View

__all__ = ["Influence", "softmax_influence"]

LEAST_SPREAD = 1e-12
"""Least mean of p (1 - p): where all rows are beyond doubt, the diagonal stays positive."""
UNITS = {"error": "fall of the mean probability of the label", "training": "rise of the mean cross-entropy in nats"}


def softmax_influence(
    features: NDArray[np.floating],
    labels: IntVector,
    references: NDArray[np.floating],
    reference_labels: IntVector,
    *,
    loss: Loss = "error",
    penalty: float = 0.3,
) -> Vector:
    """Return by how much the loss on reference rows would rise if a row were left out, to first order.

    The model is fitted to the rows with sum of losses + penalty |W|² / 2; leaving out a row holds the penalty. Among
    a hundred rows, refits without a row move the loss by a tenth to a half more than this says, in nearly the same order.
    Cost: O(n d²) once, one fit, and O(n d k) for each of tens of conjugate-gradient steps; no Hessian is held.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers: the rows that are valued.
    labels : IntVector, (n,)
        Class numbers; at least two classes.
    references : array, (m, d)
        Rows on which the loss is measured.
    reference_labels : IntVector, (m,)
        Class numbers; rows of classes that no valued row has are left out: none can be right about them.
    loss : {"error", "training"}
        1 - p(label) by default, which wrong labels among the references hardly bias; -ln p(label) where they are right.
    penalty : float
        Weight of |W|² / 2 against the summed loss, > 0; default 0.3, as of the linear learner.

    Returns
    -------
    Vector, (n,)
        Rise of the mean loss (probability, or nats), in row order; positive = the row helps.

    Raises
    ------
    NotApplicable
        The labels are of one class, or no reference row is of a class that they have.
    UsageError
        The loss is unknown.
    InputError
        Shapes do not fit, features are not finite, or the penalty is not positive.

    Randomness: none.

    Source: Koh, Liang (2017), ICML, equation 2.

    Examples
    --------
    >>> line = np.array([[-1.0], [-0.8], [0.9], [1.0], [1.1]])
    >>> softmax_influence(line, np.array([0, 0, 1, 1, 0]), line[:4], np.array([0, 0, 1, 1])).argmin()
    np.int64(4)
    """
    check_sides(features, labels, references, reference_labels)
    check_loss(loss)
    classes, codes = np.unique(labels, return_inverse=True)
    known = np.isin(reference_labels, classes)
    if len(classes) < 2 or not known.any():
        raise NotApplicable("rows of one class, or references of other classes, show no influence")
    targets = np.eye(len(classes))
    design = softmax_regression.prepare(features, penalty / len(features))
    axes = design.project(features)
    fitted = softmax_regression.fit(axes, targets[codes], np.ones(len(axes)), design)
    wanted = np.searchsorted(classes, reference_labels[known])
    slope = _mean_slope(design.project(references[known]), wanted, fitted, loss)
    solved = _against_curvature(slope, axes, fitted, design)
    moved = axes @ solved[:-1] + solved[-1]
    return np.asarray((moved * (softmax_regression.predict_proba(axes, fitted) - targets[codes])).sum(axis=1))


def _mean_slope(axes: Matrix, codes: IntVector, fitted: SoftmaxFit, loss: Loss) -> Matrix:
    """Mean gradient of the loss on reference rows; (m, a), (m,) -> (a + 1, k)."""
    slope, rows = softmax_regression.predict_proba(axes, fitted), np.arange(len(axes))
    own = slope[rows, codes]
    slope[rows, codes] -= 1.0
    if loss == "error":
        slope *= own[:, None]
    return _joined(axes, slope) / len(axes)


def _against_curvature(slope: Matrix, axes: Matrix, fitted: SoftmaxFit, design: Design) -> Matrix:
    """Inverse Hessian of the summed, penalised loss times a slope; (a + 1, k) -> (a + 1, k)."""
    n, alike = len(axes), np.ones(len(axes))
    probs = softmax_regression.predict_proba(axes, fitted)

    def curve(step: Matrix) -> Matrix:
        scores = axes @ step[:-1] + step[-1]
        product = _joined(axes, probs * (scores - (probs * scores).sum(axis=1, keepdims=True)))
        product[:-1] += n * design.l2 * step[:-1]
        return product

    near = softmax_regression.curvature(axes, alike, design, fitted)
    if near is not None:
        return conjugate_gradient(curve, slope, near.solve)
    mean = max(float((probs * (1 - probs)).mean()), LEAST_SPREAD)
    diagonal = np.append(mean * design.variances + design.l2, mean)[:, None]
    return conjugate_gradient(curve, slope, lambda gradient: gradient / diagonal)


def _joined(axes: Matrix, per_row: Matrix) -> Matrix:
    """Gradient by coefficients and intercepts; (n, a), (n, k) -> (a + 1, k)."""
    return np.vstack([axes.T @ per_row, per_row.sum(axis=0)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """Value rows by what the linear classifier would lose on other train rows without them.

    Rows are valued against train rows of other folds, whose labels may be wrong themselves; labels of dev and test
    rows are in no view. Each fold in turn gives the reference rows, and the rows of all other folds are valued
    in the model that is fitted to them; a row's value is its mean over all references outside its fold. Groups
    stand in one fold, and without a group column copies do.

    Parameters
    ----------
    folds : int
        Default 5: each model is fitted to four fifths of the rows.
    loss : {"error", "training"}
        On the reference rows; by default 1 - p(label), because their labels may be wrong.
    penalty : float
        Of the linear classifier, default 0.3 as its own.

    Raises
    ------
    NotApplicable
        The label is a number, there is one class only, or all rows are copies of one row (or of one group).
    UsageError
        The loss is unknown, or there are fewer than two folds.

    Randomness
    ----------
    The seed and the row ids decide the folds.

    Source
    ------
    Koh, Liang (2017), Understanding black-box predictions via influence functions, ICML.
    """

    folds: int = 5
    loss: Loss = "error"
    penalty: float = 0.3

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "embeddings", "groups"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def value(self, view: View) -> Values:
        """Return the value of each labelled row."""
        refuse_regression(view)
        check_loss(self.loss)
        rows = labelled_rows(view)
        labels = view.labels[rows]
        refuse_one_class(labels)
        measure = partial(softmax_influence, loss=self.loss, penalty=self.penalty)
        values, known = cross_fitted(view, rows, labels, self.folds, measure)
        unit = f"{UNITS[self.loss]} on other train rows without the row; negative harms"
        return values_of(view, rows, values, unit=unit, known=known)
