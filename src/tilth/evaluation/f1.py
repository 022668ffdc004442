"""F1 of one class: the harmonic mean of its precision and recall.

    F1 = 2 tp / (rows that are of the class + rows said to be)

Source: van Rijsbergen (1979), Information Retrieval, 2nd ed., chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.schema import TaskType
from tilth.numerics.class_measures import share_of_class
from tilth.numerics.linearised import Linearised

__all__ = ["F1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class F1:
    """Measure the F1 of one class.

    Parameters
    ----------
    of : number of the class; -1, the default, for the last: of two classes the second
    """

    of: int = -1

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def linearise(self, target: np.ndarray, predicted: Matrix) -> Linearised:
        """Return it, linearised; NotApplicable where there is nothing to divide by."""
        return share_of_class(target, predicted, self.of, "f1")
