"""Cost of decisions: what it costs to take a row of one class for another, with its sign turned.

    score_i = −C[y_i, argmax_c p_i(c)]

Source: Elkan (2001), The foundations of cost-sensitive learning, IJCAI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import InputError
from tilth.core.schema import TaskType

__all__ = ["CostMatrix", "minus_cost"]


def minus_cost(labels: IntVector, pred_probs: Matrix, costs: Matrix) -> Vector:
    """Return minus the cost of each decision; (n,), (n, k), (k, k) by label and decision -> (n,)."""
    return np.asarray(-costs[labels, pred_probs.argmax(axis=1)], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMatrix:
    """Score a row by minus what its decision costs.

    Parameters
    ----------
    costs : k·k costs, label by label: for each the cost of deciding for class 0, 1 …; () for 1 wherever the decision is wrong
    """

    costs: tuple[float, ...] = ()

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def measure(self, target: IntVector, predicted: Matrix) -> Vector:
        """Return (n,) scores; raises InputError where the costs are not k·k."""
        return minus_cost(target, predicted, self._matrix(predicted.shape[1]))

    def _matrix(self, k: int) -> Matrix:
        if not self.costs:
            return 1.0 - np.eye(k)
        if len(self.costs) != k * k:
            raise InputError(
                f"{len(self.costs)} costs are no table of {k} by {k} classes", next_step=f"give {k * k} costs"
            )
        return np.asarray(self.costs, dtype=np.float64).reshape(k, k)
