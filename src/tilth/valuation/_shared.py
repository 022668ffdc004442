"""What the valuers have in common: an order of rows that no storage decides, folds inside train, refusals, a solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tilth.core.errors import InputError, NotApplicable, UsageError
from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms
from tilth.core.values import Values
from tilth.numerics.neighbours import identical_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
    from tilth.operators.view import View

__all__ = [
    "Loss",
    "check_loss",
    "check_sides",
    "conjugate_gradient",
    "cross_fitted",
    "deal_folds",
    "labelled_rows",
    "refuse_one_class",
    "refuse_regression",
    "row_draws",
    "values_of",
]

Loss = Literal["error", "training"]
"""On reference rows: what the metric measures, which wrong labels hardly bias, or what the model is fitted with."""
RESIDUAL = 1e-8
STEPS = 1_000


def refuse_regression(view: View) -> None:
    """Refuse a numeric label."""
    if view.schema.task.is_regression:
        raise NotApplicable("it weighs rows by their class, and the label is a number")


def refuse_one_class(labels: IntVector | Vector) -> None:
    """Refuse labels (n,) that are all the same: every row is then worth as much as any other."""
    if len(labels) == 0:
        raise NotApplicable("no train row has a label")
    if (labels == labels[0]).all():
        raise NotApplicable("all labels are of one class: no row is worth more than another")


def check_loss(loss: str) -> None:
    """Refuse a loss that is none of `Loss`."""
    if loss not in get_args(Loss):
        raise UsageError(f"no loss {loss!r}", next_step=f"choose one of {', '.join(get_args(Loss))}")


def check_sides(
    features: NDArray[np.floating], given: np.ndarray, references: NDArray[np.floating], wanted: np.ndarray
) -> None:
    """Refuse rows (n, d) and references (m, d) that do not fit each other or their labels (n,), (m,), or are not finite."""
    for what, rows, labels in (("features", features, given), ("references", references, wanted)):
        if rows.ndim != 2 or 0 in rows.shape or labels.shape != (len(rows),):
            raise InputError(f"{what} of shape {rows.shape} do not fit labels of shape {labels.shape}")
        if not (np.isfinite(rows).all() and np.isfinite(labels).all()):
            raise InputError(f"{what} or their labels are missing or infinite", next_step="impute them first")
    if features.shape[1] != references.shape[1]:
        raise InputError(
            f"references have {references.shape[1]} columns, features {features.shape[1]}",
            next_step="encode both with the same encoder",
        )


def labelled_rows(view: View) -> IntVector:
    """Positions of labelled rows in the order of their ids' digests: ties and draws do not depend on how rows are stored."""
    rows = np.flatnonzero(view.labelled)
    digests = cell_digests(view.take_ids(rows))
    return np.asarray(rows[np.lexsort((digests[:, 1], digests[:, 0]))], dtype=np.intp)


def row_draws(view: View, rows: IntVector, purpose: str) -> Vector:
    """One uniform number per row (n,), from the seed, this operator and the row's id."""
    return row_uniforms(cell_digests(view.take_ids(rows)), view.seed, view.spec.room, view.spec.name, purpose)


def deal_folds(view: View, rows: IntVector, embeddings: FloatMatrix32, n_folds: int) -> IntVector:
    """Return the fold (n,) of each row, so that what is measured on one fold was not learnt from its own rows.

    Groups stay whole, and without a group column copies stay together: a row shall not be valued by its own copy.

    Parameters
    ----------
    view : read for groups, if it has any
    rows : (n,) positions in the view, from `labelled_rows`
    embeddings : (n, d) of these rows
    n_folds : at least 2

    Raises
    ------
    NotApplicable : the rows are of one group, or copies of one row
    UsageError : fewer than two folds
    """
    if n_folds < 2:
        raise UsageError(f"{n_folds} folds leave no row to value others against", next_step="give folds >= 2")
    together = view.groups[rows] if view.has("groups") else identical_rows(embeddings)
    codes, sizes = np.unique(together, return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        raise NotApplicable("valuing rows against other rows needs at least two groups of different rows")
    draws = np.full(len(sizes), np.inf)
    np.minimum.at(draws, codes, row_draws(view, rows, "folds"))
    return _deal(sizes, draws, n_folds)[codes]


def _deal(sizes: IntVector, draws: Vector, n_folds: int) -> IntVector:
    """Deal groups to the fold that holds the fewest rows, large groups first, in the order of their draws."""
    folds = np.empty(len(sizes), dtype=np.intp)
    held = np.zeros(n_folds, dtype=np.intp)
    for group in np.lexsort((draws, -sizes)):
        folds[group] = held.argmin()
        held[folds[group]] += sizes[group]
    return folds


def cross_fitted(
    view: View, rows: IntVector, given: np.ndarray, n_folds: int, measure: Callable[..., Vector]
) -> tuple[Vector, Mask]:
    """Return each row's mean value over the references of all folds but its own, and the rows that got one; (n,), (n,).

    `measure(features, given, references, their given)` -> (n,) values rows; it may refuse a fold, whose references
    are then left out.

    Raises
    ------
    NotApplicable : it refuses all folds, or there are no folds
    """
    features = view.embeddings[rows]
    folds = deal_folds(view, rows, features, n_folds)
    totals, counts = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.intp)
    for fold in np.unique(folds):
        held, judges = folds != fold, folds == fold
        try:
            found = measure(features[held], given[held], features[judges], given[judges])
        except NotApplicable:
            continue
        totals[held] += np.count_nonzero(judges) * found
        counts[held] += np.count_nonzero(judges)
    if not counts.any():
        raise NotApplicable("no fold leaves enough rows to the others: two of them, and of two classes")
    return totals / np.maximum(counts, 1), counts > 0


def values_of(
    view: View, rows: IntVector, values: Vector, *, unit: str, errors: Vector | None = None, known: Mask | None = None
) -> Values:
    """Return the values (n,) of some rows of a view, in the view's order; rows that are not `known` are left out."""
    at = np.arange(len(rows)) if known is None else np.flatnonzero(known)
    at = at[np.argsort(rows[at], kind="stable")]
    return Values(
        operator=view.spec,
        ids=view.take_ids(rows[at]),
        values=values[at],
        unit=unit,
        standard_errors=None if errors is None else errors[at],
    )


def conjugate_gradient(
    product: Callable[[Matrix], Matrix], right: Matrix, precondition: Callable[[Matrix], Matrix]
) -> Matrix:
    """Solve product(x) = right for a symmetric, non-negative product; (a, k) -> (a, k).

    Stops at a relative residual of 1e-8, or after 1,000 steps at what was reached. The preconditioner may be in
    float32: directions are corrected for what that lacks in symmetry (Polak and Ribiere's rule).

    Source: Hestenes, Stiefel (1952), J. Research National Bureau of Standards 49.
    """
    solution, left = np.zeros_like(right), right.copy()
    goal = RESIDUAL * float(np.linalg.norm(right))
    direction = ready = precondition(left)
    gain = float((left * ready).sum())
    for _ in range(STEPS):
        if np.linalg.norm(left) <= goal:
            break
        image = product(direction)
        length = gain / float((direction * image).sum())
        solution += length * direction
        before, left = left, left - length * image
        ready = precondition(left)
        last, gain = gain, float((left * ready).sum())
        direction = ready + (gain - float((before * ready).sum())) / last * direction
    return solution
