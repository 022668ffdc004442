"""Gradient-boosted trees for numbers on the columns of a table.

    F_0 = mean;   F_{m+1} = F_m + rate · tree fitted to the residuals y - F_m

Source: Friedman (2001), Annals of Statistics 29; Ke et al. (2017), NeurIPS (histograms, leaf-wise growth), as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.errors import LabelError
from tilth.core.schema import TaskType
from tilth.core.target import Target, TargetKind
from tilth.learning._trees import TreeLearner, TreeTable, growing_matrix
from tilth.operators.view import View

__all__ = ["BoostingRegression", "BoostingRegressionModel"]


@dataclass(frozen=True, slots=True, eq=False)
class BoostingRegressionModel:
    """How the table is read, and the trees."""

    table: TreeTable
    trees: Any


@dataclass(frozen=True, kw_only=True)
class BoostingRegression(TreeLearner):
    """Gradient boosting of histogram trees to numbers, on numbers, categories and dates, missing cells included.

    Predicts the mean, in the unit of the numbers; text, images and embeddings are not read. Cost: O(n d) per tree.

    Parameters
    ----------
    iterations : trees, at least 1
    leaves : most leaves of a tree, at least 2
    rate : share of each tree that is added, in (0, 1]

    Raises
    ------
    LabelError : no row has a number
    NotApplicable : the schema has no number, category or date column

    Randomness: the run's seed decides everything.

    Source: Friedman (2001), Annals of Statistics 29; Ke et al. (2017), NeurIPS.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"table"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.REGRESSION})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.NUMBER})
    revision: ClassVar[int] = 1

    iterations: int = 100
    leaves: int = 15
    rate: float = 0.1

    def fit(
        self,
        view: View,
        target: Target,
        *,
        prepared: TreeTable | None = None,
        start: BoostingRegressionModel | None = None,  # noqa: ARG002 - trees are grown anew
    ) -> BoostingRegressionModel:
        """Return trees grown on the rows that have a number; a start is ignored."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        table = prepared or self.prepare(view)
        rows = np.flatnonzero(target.mask & (target.weights > 0))
        if target.numbers is None or not len(rows):
            raise LabelError("no row has a number to learn from", next_step="label some train rows")
        trees = HistGradientBoostingRegressor(**self.growth(table, view))
        matrix = growing_matrix(table, view, rows)
        return BoostingRegressionModel(table, trees.fit(matrix, target.numbers[rows], target.weights[rows]))

    def predict_proba(self, view: View, model: BoostingRegressionModel) -> Matrix:
        """Return (n, 1) numbers."""
        if not len(view):
            return np.zeros((0, 1))
        return np.asarray(model.trees.predict(model.table.matrix(view.table)), dtype=np.float64)[:, None]
