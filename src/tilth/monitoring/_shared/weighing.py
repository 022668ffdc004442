"""Scores of weighted reference rows: the mean, how many rows the weights rest on, and when that is too few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.monitoring._shared.sampling import bounds_of, interval_of, row_variance

if TYPE_CHECKING:
    from tilth.core.arrays import Vector
    from tilth.core.estimate import Estimate

__all__ = ["effective_rows", "refuse_few", "weighted_score"]


def effective_rows(weights: Vector) -> float:
    """Return how many equally weighted rows would be as sure as these; weights (n,), >= 0 -> in [1, n].

        (sum w)² / sum w²

    Examples
    --------
    >>> float(effective_rows(np.array([1.0, 1.0, 0.0])))
    2.0
    """
    return float(weights.sum() ** 2 / np.square(weights).sum())


def refuse_few(weights: Vector, fewest: int) -> None:
    """Refuse weights (n,) that rest on too few reference rows."""
    effective = effective_rows(weights)
    if effective < fewest:
        raise NotApplicable(
            f"the new rows are so unlike the labelled ones that the estimate would rest on {effective:.0f} of {len(weights):,}",
            next_step=f"label some of the new rows, or set fewest below {fewest}",
        )


def weighted_score(scores: Vector, weights: Vector, n_current: int, level: float = 0.95) -> Estimate:
    """Return the weighted mean of scores (n,) with its sampling error: that of the reference rows, and of `n_current` new ones."""
    shares = weights / weights.sum()
    value = float(shares @ scores)
    spread = row_variance(scores, weights)
    n = len(scores)
    own = float(np.square(shares) @ np.square(scores - value))
    own = max(own, spread / max(effective_rows(weights), 1.0) * n / (n + 2))
    return interval_of(value, own + spread / n_current, bounds_of(scores), level)
