"""Average precision, the area under the precision-recall curve; with more than two classes the mean of them.

    AP = mean over rows i of the class of (rows of the class with s >= s_i) / (rows with s >= s_i)

Source: Boyd, Eng, Page (2013), Area under the precision-recall curve: point estimates and confidence intervals, ECML PKDD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.schema import TaskType
from tilth.numerics.linearised import Linearised
from tilth.numerics.ranking_measures import average_precision, over_classes

__all__ = ["AveragePrecision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePrecision:
    """Measure how pure the rows are that the probabilities rank first."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def linearise(self, target: np.ndarray, predicted: Matrix) -> Linearised:
        """Return it, linearised; NotApplicable where a class has no row."""
        return over_classes(average_precision, target, predicted)
