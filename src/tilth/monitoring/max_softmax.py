"""Unsure rows: the less the model is sure of its class, the more foreign the row.

    s(x) = 1 - max_c p_c(x)

Source: Hendrycks, Gimpel (2017), A baseline for detecting misclassified and out-of-distribution examples in neural
networks, ICLR, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.operators.view import View

__all__ = ["MaxSoftmax", "unsureness"]


def unsureness(pred_probs: Matrix) -> Vector:
    """Return one minus the largest probability of each row; (n, k) -> (n,) in [0, 1 - 1/k].

    Examples
    --------
    >>> unsureness(np.array([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [0.0, 0.5]
    """
    return np.asarray(1.0 - pred_probs.max(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxSoftmax:
    """Take rows for foreign of whose class the model is unsure; rows of overlapping classes look foreign too."""

    needs: ClassVar[frozenset[str]] = frozenset({"pred_probs"})
    revision: ClassVar[int] = 1

    def outlying(self, reference: View, current: View) -> Vector:
        """Return one minus the confidence of each current row (n,)."""
        del reference
        if not current.has("pred_probs"):
            raise NotApplicable("it goes by the confidence in classes, and there is none")
        return unsureness(current.pred_probs)
