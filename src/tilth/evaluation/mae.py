"""Mean absolute error, with its sign turned so that higher is better.

    score_i = −|y_i − ŷ_i|

Source: definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType

__all__ = ["Mae", "negative_error"]


def negative_error(numbers: Vector, predictions: Vector) -> Vector:
    """Return minus the absolute error of each row; (n,), (n,) -> (n,), in the label's unit, at most 0."""
    return np.asarray(-np.abs(numbers - predictions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mae:
    """Score a row by minus its absolute error."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.REGRESSION})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def measure(self, target: Vector, predicted: Matrix) -> Vector:
        """Return (n,) scores, at most 0."""
        return negative_error(target, predicted[:, 0])
