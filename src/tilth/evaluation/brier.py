"""Brier score: half the squared distance of the predicted probabilities from the label, with its sign turned.

    score_i = −½ Σ_c (p_i(c) − 1[y_i = c])²,   which for two classes is −(p_i(1) − y_i)²

Source: Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.schema import TaskType
from tilth.numerics.class_measures import label_marks

__all__ = ["Brier", "minus_brier"]


def minus_brier(labels: IntVector, pred_probs: Matrix) -> Vector:
    """Return minus half the squared distance; (n,), (n, k) -> (n,), in [-1, 0]."""
    marks = label_marks(labels, pred_probs.shape[1])
    return np.asarray(-0.5 * ((pred_probs - marks) ** 2).sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brier:
    """Score a row by minus its Brier score."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-1.0, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def measure(self, target: IntVector, predicted: Matrix) -> Vector:
        """Return (n,) scores, at most 0."""
        return minus_brier(target, predicted)
