"""Rows of a view in an order that no storage decides, and what a view must have before anything is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Matrix, Vector
    from tilth.operators.view import View

__all__ = [
    "FEWEST",
    "by_digest",
    "confidence",
    "halves",
    "refuse_empty",
    "refuse_other_than_right_or_wrong",
    "scored_rows",
]

FEWEST = 20
"""Labelled rows below which nothing is said: their own score is not known to 20 points."""


def by_digest(view: View) -> IntVector:
    """Return the positions of all rows (n,) in the order of their ids' digests: draws do not depend on how rows are stored."""
    digests = cell_digests(view.ids)
    return np.asarray(np.lexsort((digests[:, 1], digests[:, 0])), dtype=np.intp)


def refuse_empty(current: View) -> None:
    """Refuse a view without rows."""
    if not len(current):
        raise NotApplicable("there are no new rows to speak of")


def scored_rows(reference: View, current: View) -> IntVector:
    """Return the positions of reference rows (n,) whose score is known; refuses too few of them.

    Raises
    ------
    NotApplicable : no current row, no scores, or fewer than 20 of them
    """
    refuse_empty(current)
    if not reference.has("scores"):
        raise NotApplicable("no labelled rows are scored: there is nothing to go by")
    rows = np.flatnonzero(np.isfinite(reference.scores))
    if len(rows) < FEWEST:
        raise NotApplicable(f"only {len(rows)} labelled rows are scored; {FEWEST} are needed to go by")
    return rows


def refuse_other_than_right_or_wrong(scores: Vector) -> None:
    """Refuse scores (n,) other than 0 and 1."""
    if not np.isin(scores, (0.0, 1.0)).all():
        raise NotApplicable("it estimates the share of right rows, and this score is not right or wrong")


def confidence(view: View) -> Vector:
    """Return the largest probability of each row (n,); refuses a task without classes."""
    if not view.has("pred_probs"):
        raise NotApplicable("it goes by the confidence in classes, and there is none")
    probs: Matrix = view.pred_probs
    if not np.isfinite(probs).all():
        raise NotApplicable("some predictions are not finite")
    return np.asarray(probs.max(axis=1), dtype=np.float64)


def halves(view: View, purpose: str) -> Mask:
    """Return which rows (n,) stand in the second half, by the seed and the digests of their ids."""
    digests = cell_digests(view.ids)
    draws = row_uniforms(digests, view.seed, view.spec.room, view.spec.name, purpose)
    return np.asarray(draws >= np.median(draws)) if len(draws) else np.zeros(0, dtype=bool)
