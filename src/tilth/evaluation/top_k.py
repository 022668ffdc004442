"""Top-k accuracy: the share of rows whose label is among the k most probable classes.

    score_i = 1[#{c ≠ y_i : p_i(c) >= p_i(y_i)} < k],   so that ties count against the label

Source: Russakovsky et al. (2015), ImageNet large scale visual recognition challenge, IJCV 115, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.schema import TaskType

__all__ = ["TopK", "among_top"]


def among_top(labels: IntVector, pred_probs: Matrix, k: int) -> Vector:
    """Return 1 where fewer than k other classes are as probable as the label, else 0; (n,), (n, c) -> (n,)."""
    own = pred_probs[np.arange(len(labels)), labels]
    as_probable = (pred_probs >= own[:, None]).sum(axis=1) - 1
    return np.asarray(as_probable < k, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopK:
    """Score a row 1 if its label is among the k most probable classes, else 0.

    Parameters
    ----------
    k : how many classes may be named, >= 1
    """

    k: int = 2

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_error: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: IntVector, predicted: Matrix) -> Vector:
        """Return (n,) scores in {0, 1}."""
        return among_top(target, predicted, self.k)
