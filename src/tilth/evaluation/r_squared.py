"""R²: the share of the label's variance that is explained.

    R² = 1 − Σ (y_i − ŷ_i)² / Σ (y_i − ȳ)²

Source: definition; Deville (1999), Survey Methodology 25 (its variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType
from tilth.numerics.linearised import Linearised
from tilth.numerics.number_measures import r_squared

__all__ = ["RSquared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RSquared:
    """Measure the share of the label's variance that is explained."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.REGRESSION})
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def linearise(self, target: Vector, predicted: Matrix) -> Linearised:
        """Return it, linearised; NotApplicable where all labels are one number."""
        return r_squared(target, predicted[:, 0])
