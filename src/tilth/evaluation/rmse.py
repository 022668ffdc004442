"""Root of the mean squared error, with its sign turned.

    RMSE = sqrt(mean of (y_i − ŷ_i)²)

Source: definition; Deville (1999), Survey Methodology 25 (its variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType
from tilth.numerics.linearised import Linearised
from tilth.numerics.number_measures import minus_rmse

__all__ = ["Rmse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rmse:
    """Measure minus the root of the mean squared error."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.REGRESSION})
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def linearise(self, target: Vector, predicted: Matrix) -> Linearised:
        """Return it, linearised, at most 0."""
        return minus_rmse(target, predicted[:, 0])
