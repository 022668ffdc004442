"""Sampling errors: an estimate with the interval that finite numbers of rows leave, whatever else may be wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.estimate import WIDEST, Estimate
from tilth.numerics.distributions import normal_point

if TYPE_CHECKING:
    from tilth.core.arrays import Vector

__all__ = ["Bounds", "bounds_of", "interval_of", "row_variance"]

Bounds = tuple[float, float]


def bounds_of(scores: Vector) -> Bounds | None:
    """Return (0, 1) where all scores (n,) are 0 or 1; (-WIDEST, 0) where none is above 0, as of errors; else None."""
    if np.isin(scores, (0.0, 1.0)).all():
        return 0.0, 1.0
    return (-WIDEST, 0.0) if (scores <= 0).all() else None


def row_variance(scores: Vector, weights: Vector | None = None) -> float:
    """Return the variance of one row's score (n,), weighted.

    Two rows of mean weight are added, one at each bound (or at the least and the greatest score), so that rows that
    are all right are not taken for certainty.
    """
    ends = (0.0, 1.0) if bounds_of(scores) == (0.0, 1.0) else (float(np.min(scores)), float(np.max(scores)))
    shares = np.full(len(scores), 1.0) if weights is None else weights / weights.mean()
    values, shares = np.append(scores, ends), np.append(shares, (1.0, 1.0))
    mean = np.average(values, weights=shares)
    return float(np.average(np.square(values - mean), weights=shares))


def interval_of(value: float, variance: float, bounds: Bounds | None, level: float = 0.95) -> Estimate:
    """Return an estimate with the normal interval of a variance, cut at the bounds; the value is brought inside them."""
    low, high = bounds or (-WIDEST, WIDEST)
    value, error = float(min(max(value, low), high)), float(np.sqrt(max(variance, 0.0)))
    half = float(normal_point((1 - level) / 2)) * error
    return Estimate(value=value, low=max(low, value - half), high=min(high, value + half), standard_error=error)
