"""Accuracy: the share of rows whose most probable class is their label.

    score_i = 1[argmax_c p_i(c) = y_i]

Source: definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.schema import TaskType

__all__ = ["Accuracy", "correct"]


def correct(labels: IntVector, pred_probs: Matrix) -> Vector:
    """Return 1 where the most probable class is the label, else 0; (n,), (n, k) -> (n,). Ties go to the first class."""
    return np.asarray(pred_probs.argmax(axis=1) == labels, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Score a row 1 if it is classified right, else 0."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: IntVector, predicted: Matrix) -> Vector:
        """Return (n,) scores in {0, 1}."""
        return correct(target, predicted)
