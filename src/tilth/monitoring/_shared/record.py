"""What pseudo-shifts told of estimators: how wrong each was, and how wide its intervals must be for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.numerics.distributions import normal_point

if TYPE_CHECKING:
    from tilth.core.arrays import Vector

__all__ = ["SHARE", "Mistakes", "Record", "mistakes_of"]

SHARE = 0.9
"""Of the pseudo-shifts: those that lie within an estimator's slope, and within its reach."""
_LEAST_DISTANCE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """How wrong an estimate was on pseudo-shifts, beyond sampling and disagreement.

    Parameters
    ----------
    slope : error per unit of distance that nine of ten pseudo-shifts keep to
    reach : distance that nine of ten pseudo-shifts keep to
    worst : greatest absolute error
    square : mean squared error
    """

    slope: float
    reach: float
    worst: float
    square: float

    def half_width(self, spread: float, distance: float, level: float) -> float:
        """Return the half-width of an estimate with this spread (sampling and disagreement), at a distance."""
        z = float(normal_point((1 - level) / 2))
        inside = self.slope * min(distance, self.reach)
        beyond = self.worst * max(0.0, (distance / self.reach) ** 2 - 1) if self.reach > 0 else 0.0
        return float(np.sqrt((z * spread) ** 2 + inside**2 + beyond**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What pseudo-shifts of the labelled rows told: each estimator's mistakes, and those of all together.

    Parameters
    ----------
    parts : estimator -> its mistakes; those that always refused are not there
    together : mistakes of the weighted mean
    n_shifts : pseudo-shifts that were tried
    """

    parts: Mapping[str, Mistakes]
    together: Mistakes
    n_shifts: int


def mistakes_of(missed: Vector, spreads: Vector, distances: Vector, reach: float) -> Mistakes:
    """Return how errors (s,) grow with distance (s,), beyond what their spreads (s,) explain."""
    z = float(normal_point(0.025))
    left = np.sqrt(np.maximum(np.square(missed) - np.square(z * spreads), 0.0))
    return Mistakes(
        slope=float(np.quantile(left / np.maximum(distances, _LEAST_DISTANCE), SHARE)),
        reach=reach,
        worst=float(np.abs(missed).max()),
        square=float(np.square(missed).mean()),
    )
