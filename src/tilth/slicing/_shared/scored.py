"""Scored rows: what slicers read of a view, and what they say of a group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tilth.core.arrays import IntVector, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.schema import Schema
from tilth.numerics.intervals import mean_interval, wilson
from tilth.operators.view import View

__all__ = ["Scored", "estimate_of", "scored_rows", "summary_of"]


class Scored(NamedTuple):
    """The rows of a view that have a score.

    Parameters
    ----------
    rows : (m,) their positions in the view
    scores : (m,) higher is better
    losses : (m,) >= 0, how far each is from the best
    groups : (m,) code of the group of each; None where rows are independent
    """

    rows: IntVector
    scores: Vector
    losses: Vector
    groups: IntVector | None = None


def scored_rows(view: View) -> Scored:
    """Return the rows of a view whose score is a number; raises NotApplicable where fewer than two have one."""
    scores = np.asarray(view.scores, dtype=np.float64)
    rows = np.flatnonzero(np.isfinite(scores))
    if len(rows) < 2:
        raise NotApplicable(f"{len(rows)} rows have a score: there is no rest to compare a slice with")
    groups = view.groups[rows] if view.has("groups") else None
    return Scored(rows, scores[rows], scores[rows].max() - scores[rows], groups)


def estimate_of(scores: Vector, level: float = 0.95, groups: IntVector | None = None) -> Estimate:
    """Return the mean of the scores of a slice with its interval, which respects groups where there are some; (m,), (m,)."""
    if groups is None and ((scores == 0) | (scores == 1)).all():
        return wilson(float(scores.sum()), len(scores), level)
    is_share = bool(scores.min() >= 0 and scores.max() <= 1)
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    return mean_interval(scores, level, codes, bounds=(0.0, 1.0) if is_share else None)


def summary_of(name: str, value: float, elsewhere: float, rows: int, all_rows: int, schema: Schema) -> str:
    """Return a slice in one sentence: which rows, how many, how well the model does on them and elsewhere."""
    is_error = schema.task.metric == "mae"
    if is_error:
        said = f"mean absolute error {-value:.3g} against {-elsewhere:.3g} elsewhere"
    elif min(value, elsewhere) >= 0 and max(value, elsewhere) <= 1:
        said = f"{100 * value:.1f} % right against {100 * elsewhere:.1f} % elsewhere"
    else:
        said = f"mean score {value:.3g} against {elsewhere:.3g} elsewhere"
    return f"Where {name}: {said} ({rows:,} rows, {100 * rows / all_rows:.1f} % of all)."
