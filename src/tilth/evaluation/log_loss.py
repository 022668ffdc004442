"""Log loss: minus the logarithm of the probability given to the label, with its sign turned.

    score_i = log max(p_i(y_i), ε),   ε = 2.2e-16

Source: Good (1952), Rational decisions, Journal of the Royal Statistical Society B 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.schema import TaskType

__all__ = ["LogLoss", "log_score"]


def log_score(labels: IntVector, pred_probs: Matrix) -> Vector:
    """Return the logarithm of each row's probability of its own label; (n,), (n, k) -> (n,), at most 0."""
    given = pred_probs[np.arange(len(labels)), labels]
    return np.asarray(np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLoss:
    """Score a row by the logarithm of the probability of its label."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (-np.inf, 0.0)
    is_error: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def measure(self, target: IntVector, predicted: Matrix) -> Vector:
        """Return (n,) scores, at most 0."""
        return log_score(target, predicted)
