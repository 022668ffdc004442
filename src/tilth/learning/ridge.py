"""Regularised linear regression on encoded features, in closed form.

    minimise over beta, b:   sum_i w_i (y_i - x_i beta - b)² + penalty · |beta|²

Source: Hoerl, Kennard (1970), Technometrics 12; the solver is numerics/ridge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, rows_of
from tilth.core.errors import LabelError
from tilth.core.schema import TaskType
from tilth.core.target import Target, TargetKind
from tilth.numerics import ridge
from tilth.numerics.ridge import RidgeFit
from tilth.operators.view import View

__all__ = ["Ridge"]


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """Linear regression with a quadratic penalty; the optimum is exact, so a start is not needed.

    Predicts the mean of the numbers, in their unit. Cost: O(n d² + d³).

    Parameters
    ----------
    penalty : weight of |beta|² against the summed squared error, > 0: alpha in scikit-learn. Its grid suits features of mean
        squared length near 1

    Raises
    ------
    LabelError : no row has a number

    Randomness: none.

    Source: Hoerl, Kennard (1970), Technometrics 12.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.REGRESSION})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.NUMBER})
    revision: ClassVar[int] = 1

    penalty: float = 1.0

    def grid(self) -> Sequence[Ridge]:
        """Return seven penalties a factor of ten apart, strongest first."""
        return tuple(Ridge(penalty=penalty) for penalty in (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001))

    def prepare(self, view: View) -> None:
        """Return None: a fit in closed form shares nothing."""

    def fit(
        self,
        view: View,
        target: Target,
        *,
        prepared: None = None,  # noqa: ARG002 - there is nothing to prepare
        start: RidgeFit | None = None,  # noqa: ARG002 - the optimum is computed, not searched for
    ) -> RidgeFit:
        """Return the exact optimum for the rows that have a number."""
        rows = np.flatnonzero(target.mask)
        if target.numbers is None or not len(rows) or not target.weights[rows].sum() > 0:
            raise LabelError("no row has a number to learn from", next_step="label some train rows")
        weights = target.weights[rows]
        return ridge.fit(
            rows_of(view.embeddings, rows), target.numbers[rows], weights, self.penalty / float(weights.sum())
        )

    def predict_proba(self, view: View, model: RidgeFit) -> Matrix:
        """Return (n, 1) numbers."""
        return ridge.predict(view.embeddings, model)[:, None]
