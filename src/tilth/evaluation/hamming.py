"""Hamming score: the share of classes that are decided right, row by row.

    score_i = (1/k) Σ_c 1[said_i(c) = is_i(c)]

Source: Zhang, Zhou (2014), A review on multi-label learning algorithms, IEEE TKDE 26 (1 − Hamming loss).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType
from tilth.numerics.class_measures import decided_marks, label_marks

__all__ = ["Hamming", "share_right"]


def share_right(labels: np.ndarray, pred_probs: Matrix) -> Vector:
    """Return the share of classes decided right; (n,) or (n, k) labels, (n, k) -> (n,), in [0, 1]."""
    marks = label_marks(labels, pred_probs.shape[1])
    said = decided_marks(pred_probs, several=labels.ndim == 2)
    return np.asarray((marks == said).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hamming:
    """Score a row by the share of classes that are decided right."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: np.ndarray, predicted: Matrix) -> Vector:
        """Return (n,) scores in [0, 1]."""
        return share_right(target, predicted)
