"""Influence of rows with a number: what the ridge regression would lose on reference rows if a row were left out.

    without row i the coefficients move by exactly   d_i = -H⁻¹ x_i e_i / (1 - h_i)
    value_i = g · d_i,   g = mean of -sign(r_t) x_t, the gradient of the mean absolute error of the reference rows
    or, exactly,   mean (r_t - x_t · d_i)² - mean r_t²
    H = penalised Gram matrix of the rows, e = residuals, h_i = x_i · H⁻¹ x_i leverage, r_t = residual of a reference row

Positive = without the row the reference rows fare worse: it helps. By the squared error, a model that yields to wrong
numbers suits references that are as often wrong, and the rows that made it yield are worth as much as the right ones;
the absolute error tolerates them, and is what MAE measures.

Source: Cook (1977), Detection of influential observation in linear regression, Technometrics 19; Koh, Liang (2017),
Understanding black-box predictions via influence functions, ICML.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from tilth.core.errors import InputError, NotApplicable
from tilth.valuation._shared import Loss, check_loss, check_sides, cross_fitted, labelled_rows, values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import Vector
    from tilth.core.values import Values
    from tilth.operators.view import Scope, View

__all__ = ["InfluenceRegression", "ridge_influence"]

LEAST_ROOM = 1e-12
"""Least 1 - leverage: a row that decides its own prediction alone would have an infinite value."""
UNITS = {"error": "rise of the mean absolute error", "training": "rise of the mean squared error"}


def ridge_influence(
    features: NDArray[np.floating],
    numbers: Vector,
    references: NDArray[np.floating],
    reference_numbers: Vector,
    *,
    loss: Loss = "error",
    penalty: float = 1.0,
) -> Vector:
    """Return by how much the error on reference rows rises when a row is left out.

    By the coefficients of a refit without the row; the penalty is held, and spares the intercept. O(n d² + d³) time.

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers: the rows that are valued; n >= 2.
    numbers : Vector, (n,)
        Their labels.
    references : array, (m, d)
        Rows on which the error is measured.
    reference_numbers : Vector, (m,)
        Their labels.
    loss : {"error", "training"}
        Absolute error by default, to first order, which wrong numbers among the references hardly bias; or its square.
    penalty : float
        Weight of |beta|² against the summed squared error, > 0; default 1, as of the ridge learner.

    Returns
    -------
    Vector, (n,)
        Rise of the mean absolute error in the label's unit, or exactly of the squared one; positive = the row helps.

    Raises
    ------
    NotApplicable
        There are fewer than two rows.
    UsageError
        The loss is unknown.
    InputError
        Shapes do not fit, numbers are not finite, or the penalty is not positive.

    Randomness: none.

    Source: Cook (1977), Technometrics 19.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> given = np.array([0.0, 1.0, 2.0, 9.0])
    >>> ridge_influence(line, given, line[:3], given[:3]).argmin()
    np.int64(3)
    """
    check_sides(features, numbers, references, reference_numbers)
    check_loss(loss)
    if len(features) < 2:
        raise NotApplicable("leaving one row out needs at least two rows")
    if not (np.isfinite(penalty) and penalty > 0):
        raise InputError(f"penalty must be a positive number, not {penalty!r}")
    middle = features.mean(axis=0, dtype=np.float64)
    here, there = (np.column_stack([rows - middle, np.ones(len(rows))]) for rows in (features, references))
    gram = here.T @ here
    gram[np.diag_indices(len(gram) - 1)] += penalty
    try:
        solved = cho_solve(cho_factor(gram), here.T).T
    except LinAlgError as error:
        remedy = "scale the features or raise the penalty"
        raise InputError(f"features are too collinear for a penalty of {penalty}", next_step=remedy) from error
    beta = solved.T @ numbers
    room = np.maximum(1 - np.einsum("ij,ij->i", here, solved), LEAST_ROOM)
    moved = -solved * ((numbers - here @ beta) / room)[:, None]
    left = reference_numbers - there @ beta
    if loss == "error":
        return np.asarray(-moved @ (there.T @ np.sign(left)) / len(there))
    bent = np.einsum("ij,ij->i", moved @ (there.T @ there / len(there)), moved)
    return np.asarray(bent - 2 * moved @ (there.T @ left) / len(there))


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluenceRegression:
    """Value rows by what the ridge regression would lose on other train rows without them.

    Rows are valued against train rows of other folds, whose numbers may be wrong themselves; labels of dev and test
    rows are in no view. Each fold in turn gives the reference rows, and the rows of all other folds are valued
    in the model that is fitted to them; a row's value is its mean over all references outside its fold. Groups
    stand in one fold, and without a group column copies do.

    Parameters
    ----------
    folds : int
        Default 5: each model is fitted to four fifths of the rows.
    loss : {"error", "training"}
        On the reference rows; by default the absolute error, because their numbers may be wrong.
    penalty : float
        Of the ridge regression, default 1 as its own.

    Raises
    ------
    NotApplicable
        The label is a class, no fold leaves two rows to the others, or all rows are copies of one row (or of one group).
    UsageError
        The loss is unknown, or there are fewer than two folds.

    Randomness
    ----------
    The seed and the row ids decide the folds.

    Source
    ------
    Cook (1977), Technometrics 19; Koh, Liang (2017), ICML.
    """

    folds: int = 5
    loss: Loss = "error"
    penalty: float = 1.0

    needs: ClassVar[frozenset[str]] = frozenset({"numbers", "embeddings", "groups"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def value(self, view: View) -> Values:
        """Return the value of each labelled row."""
        if not view.schema.task.is_regression:
            raise NotApplicable("it weighs rows by their number, and the label is a class")
        check_loss(self.loss)
        rows = labelled_rows(view)
        measure = partial(ridge_influence, loss=self.loss, penalty=self.penalty)
        values, known = cross_fitted(view, rows, view.numbers[rows], self.folds, measure)
        unit = f"{UNITS[self.loss]} on other train rows without the row; negative harms"
        return values_of(view, rows, values, unit=unit, known=known)
