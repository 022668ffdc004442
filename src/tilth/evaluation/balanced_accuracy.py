"""Balanced accuracy: the mean over classes of the share of rows classified right.

    score_i = 1[argmax_c p_i(c) = y_i];  the split's score is the mean of class means

Source: Brodersen, Ong, Stephan, Buhmann (2010), The Balanced Accuracy and Its Posterior Distribution, ICPR, eq. 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.schema import TaskType

__all__ = ["BalancedAccuracy", "class_correct"]


def class_correct(labels: IntVector, pred_probs: Matrix) -> Vector:
    """Return 1 where the most probable class is the label, else 0; (n,), (n, k) -> (n,); average it class by class."""
    return np.asarray(pred_probs.argmax(axis=1) == labels, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancedAccuracy:
    """Score a row 1 if it is classified right, else 0, with every class counting alike."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = True
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: IntVector, predicted: Matrix) -> Vector:
        """Return (n,) scores in {0, 1}; the caller averages within classes first."""
        return class_correct(target, predicted)
