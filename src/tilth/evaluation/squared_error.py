"""Squared error, with its sign turned so that higher is better.

    score_i = −(y_i − ŷ_i)²

Source: definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType

__all__ = ["SquaredError", "minus_squares"]


def minus_squares(numbers: Vector, predictions: Vector) -> Vector:
    """Return minus the squared error of each row; (n,), (n,) -> (n,), in the square of the label's unit, at most 0."""
    return np.asarray(-((numbers - predictions) ** 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class SquaredError:
    """Score a row by minus its squared error."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.REGRESSION})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def measure(self, target: Vector, predicted: Matrix) -> Vector:
        """Return (n,) scores, at most 0."""
        return minus_squares(target, predicted[:, 0])
