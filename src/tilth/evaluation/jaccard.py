"""Jaccard score: how much of a row's classes and the decided ones are shared, row by row.

    score_i = |said_i ∩ classes of i| / |said_i ∪ classes of i|,   1 where both are empty

Source: Jaccard (1912), The distribution of the flora in the alpine zone, New Phytologist 11; Godbole, Sarawagi (2004), PAKDD
(rows of several labels).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.schema import TaskType
from tilth.numerics.class_measures import decided_marks, label_marks

__all__ = ["Jaccard", "overlap"]


def overlap(labels: np.ndarray, pred_probs: Matrix) -> Vector:
    """Return intersection over union of the row's classes and the decided ones; (n,) or (n, k) labels, (n, k) -> (n,), in [0, 1]."""
    marks = label_marks(labels, pred_probs.shape[1])
    said = decided_marks(pred_probs, several=labels.ndim == 2)
    both, either = (marks & said).sum(axis=1), (marks | said).sum(axis=1)
    return np.asarray(np.where(either == 0, 1.0, both / np.maximum(either, 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaccard:
    """Score a row by how much of its classes and the decided ones are shared."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: np.ndarray, predicted: Matrix) -> Vector:
        """Return (n,) scores in [0, 1]."""
        return overlap(target, predicted)
