"""Free energy: rows to which no class answers strongly.

    E(x) = -log sum_c exp f_c(x),     f_c = log p_c - mean_c log p_c

Energy needs the scores f before the softmax, and probabilities tell them only up to one number per row. That number is
set here so that the scores of a row sum to 0. That is how this repository's linear learner has them, whose coefficients
sum to 0 over classes, up to a temperature and the same number for all rows; of other models it is another score: how
far the prediction is from uniform, counted by the least likely classes.

Source: Liu, Wang, Owens, Li (2020), Energy-based out-of-distribution detection, NeurIPS, equation 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.operators.view import View

__all__ = ["Energy", "centred_energy"]

_LEAST = 1e-30


def centred_energy(pred_probs: Matrix) -> Vector:
    """Return the energy of log-probabilities whose mean is taken away: their mean; (n, k) -> (n,), at most -log k.

    Probabilities below 1e-30 count as that, so that zeros do not decide alone.

    Examples
    --------
    >>> centred_energy(np.array([[0.5, 0.5], [0.9, 0.1]])).round(3).tolist()
    [-0.693, -1.204]
    """
    return np.asarray(np.log(np.maximum(pred_probs, _LEAST)).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """Take rows for foreign to which no class answers strongly, as far as probabilities tell (see the module)."""

    needs: ClassVar[frozenset[str]] = frozenset({"pred_probs"})
    revision: ClassVar[int] = 1

    def outlying(self, reference: View, current: View) -> Vector:
        """Return the energy of each current row (n,)."""
        del reference
        if not current.has("pred_probs"):
            raise NotApplicable("it goes by the scores of classes, and there are none")
        return centred_energy(current.pred_probs)
