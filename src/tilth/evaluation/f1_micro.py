"""Micro F1: the F1 of all decisions together; accuracy where rows have one class, its own where they have several.

    F1_micro = 2 Σ_c tp_c / Σ_c (is_c + says_c)

Source: Sokolova, Lapalme (2009), A systematic analysis of performance measures for classification tasks, Information Processing &
Management 45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.schema import TaskType
from tilth.numerics.class_measures import micro_ratio
from tilth.numerics.linearised import Linearised

__all__ = ["F1Micro"]


@dataclass(frozen=True, slots=True, kw_only=True)
class F1Micro:
    """Measure the F1 of all decisions together."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def linearise(self, target: np.ndarray, predicted: Matrix) -> Linearised:
        """Return it, linearised; NotApplicable without a class."""
        return micro_ratio(target, predicted, "f1")
