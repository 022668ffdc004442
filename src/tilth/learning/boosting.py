"""Gradient-boosted trees on the columns of a table, with soft targets and row weights.

    F_0 = log priors;   F_{m+1} = F_m + rate · tree fitted to the gradient of the log loss at F_m

A soft target is one weighted row per class that has mass.

Source: Friedman (2001), Annals of Statistics 29; Ke et al. (2017), NeurIPS (histograms, leaf-wise growth), as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import LabelError
from tilth.core.schema import TaskType
from tilth.core.target import Target, TargetKind
from tilth.learning._trees import TreeLearner, TreeTable, expand, growing_matrix
from tilth.operators.view import View

__all__ = ["Boosting", "BoostingModel"]


@dataclass(frozen=True, slots=True, eq=False)
class BoostingModel:
    """How the table is read, the classes that had rows, and the trees (None where one class had all rows)."""

    table: TreeTable
    present: IntVector
    trees: Any


@dataclass(frozen=True, kw_only=True)
class Boosting(TreeLearner):
    """Gradient boosting of histogram trees on numbers, categories and dates as they stand, missing cells included.

    Text, images and embeddings are not read. Probabilities cover all classes of the schema in their order; a class without
    rows gets 0. Cost: O(n d) per tree, one tree per class and iteration.

    Parameters
    ----------
    iterations : trees per class, at least 1
    leaves : most leaves of a tree, at least 2
    rate : share of each tree that is added, in (0, 1]

    Raises
    ------
    LabelError : no row has a target
    NotApplicable : the schema has no number, category or date column

    Randomness: the run's seed decides everything.

    Source: Friedman (2001), Annals of Statistics 29; Ke et al. (2017), NeurIPS.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"table"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.CLASS, TargetKind.DISTRIBUTION})
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
        start: BoostingModel | None = None,  # noqa: ARG002
    ) -> BoostingModel:
        """Return trees grown on the rows that have a target; a start is ignored."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        table = prepared or self.prepare(view)
        rows, classes, weights = expand(target)
        if not len(rows):
            raise LabelError("no row has a class to learn from", next_step="label some train rows")
        present = np.unique(classes)
        if len(present) == 1:
            return BoostingModel(table, present, None)
        trees = HistGradientBoostingClassifier(**self.growth(table, view))
        return BoostingModel(table, present, trees.fit(growing_matrix(table, view, rows), classes, weights))

    def predict_proba(self, view: View, model: BoostingModel) -> Matrix:
        """Return (n, k) class probabilities."""
        probs = np.zeros((len(view), view.n_classes))
        if model.trees is None:
            probs[:, model.present] = 1.0
        elif len(view):
            probs[:, model.present] = model.trees.predict_proba(model.table.matrix(view.table))
        return probs
