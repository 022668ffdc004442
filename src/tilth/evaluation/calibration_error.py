"""Expected calibration error: how far confidence is from accuracy, in bins, with its sign turned.

    ECE = Σ_bins |Σ_{i in bin} (confidence_i − correct_i)| / n

Source: Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.arrays import IntVector, Matrix
from tilth.core.schema import TaskType
from tilth.numerics.linearised import Linearised
from tilth.numerics.number_measures import calibration_gap

__all__ = ["CalibrationError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationError:
    """Measure how far confidence is from accuracy.

    Parameters
    ----------
    bins : number of bins of equal width, >= 1; default 15, as is usual
    """

    bins: int = 15

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    bounds: ClassVar[tuple[float, float]] = (-1.0, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def linearise(self, target: IntVector, predicted: Matrix) -> Linearised:
        """Return minus the error, linearised; chance makes it look worse than it is, which the interval allows for."""
        return calibration_gap(target, predicted, self.bins)
