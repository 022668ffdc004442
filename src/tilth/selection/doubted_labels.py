"""Doubted labels: train rows whose given label the model finds least probable.

    score_i = max_{c ≠ y_i} p_i(c) − p_i(y_i)   (normalized margin)

Source: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 4 (normalized margin).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.operators.view import Scope, View

__all__ = ["DoubtedLabels", "label_margin"]


def label_margin(labels: IntVector, pred_probs: Matrix) -> Vector:
    """Return how much more probable the best other class is than the given one; (n,), (n, k) -> (n,) in [−1, 1]."""
    rows = np.arange(len(labels))
    others = np.array(pred_probs, dtype=np.float64)
    others[rows, labels] = -np.inf
    return np.asarray(others.max(axis=1) - pred_probs[rows, labels])


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtedLabels:
    """Choose train rows whose label contradicts out-of-sample predictions, most doubted first."""

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "numbers", "pred_probs", "predictions", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def select(self, view: View, budget: int) -> RowSet:
        """Return at most `budget` rows with a positive margin (numbers: the largest residuals)."""
        open_rows = view.labelled & ~view.trusted
        if view.schema.task.is_regression:
            score = np.abs(view.numbers - view.predictions)
        elif view.n_classes < 2:
            raise NotApplicable("there is one class only")
        else:
            score = label_margin(view.labels, view.pred_probs)
            open_rows = open_rows & (score > 0)
        rows = np.flatnonzero(open_rows)
        rows = rows[np.argsort(-score[rows], kind="stable")][:budget]
        return RowSet(ids=view.take_ids(rows), scores=score[rows], reason="label contradicts the model")
