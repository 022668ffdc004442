"""Exact match: the share of rows whose classes are all decided right; accuracy where rows have one class.

    score_i = 1[said_i = classes of i]

Source: Zhang, Zhou (2014), A review on multi-label learning algorithms, IEEE TKDE 26 (subset accuracy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType
from tilth.numerics.class_measures import decided_marks, label_marks

__all__ = ["ExactMatch", "matched"]


def matched(labels: np.ndarray, pred_probs: Matrix) -> Vector:
    """Return 1 where the decided classes are the row's, else 0; (n,) or (n, k) labels, (n, k) -> (n,)."""
    marks = label_marks(labels, pred_probs.shape[1])
    said = decided_marks(pred_probs, several=labels.ndim == 2)
    return np.asarray((marks == said).all(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMatch:
    """Score a row 1 if all its classes are decided right, else 0."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: np.ndarray, predicted: Matrix) -> Vector:
        """Return (n,) scores in [0, 1]."""
        return matched(target, predicted)
