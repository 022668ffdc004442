"""AUROC: how often a row of the class is ranked before a row of the others; with more than two classes the mean of them.

    AUROC = P(s_i > s_j) + P(s_i = s_j) / 2,   i of the class, j not

Source: DeLong, DeLong, Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating characteristic
curves, Biometrics 44.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.schema import TaskType
from tilth.numerics.linearised import Linearised
from tilth.numerics.ranking_measures import auroc, over_classes

__all__ = ["Auroc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Auroc:
    """Measure how well the probabilities rank rows of a class before the others."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def linearise(self, target: np.ndarray, predicted: Matrix) -> Linearised:
        """Return it, linearised; NotApplicable where a class has no row, or all of them."""
        return over_classes(auroc, target, predicted)
