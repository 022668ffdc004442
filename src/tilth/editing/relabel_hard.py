"""Relabel: give doubted rows the class that the posterior of the truth puts first.

    q_i(c) ∝ p(c | x_i) · T[c, y_i],   new label = argmax_c q_i(c)   where q_i(y_i) < 1 − certainty

Source: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 3; posterior as in Lipton, Wang, Smola (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix
from tilth.core.edit import Edit
from tilth.core.rowset import RowSet
from tilth.editing._shared import class_cells, editable, label_posterior, ranked
from tilth.operators.view import Scope, View

__all__ = ["RelabelHard", "best_class"]


def best_class(truth_posterior: Matrix) -> tuple[IntVector, np.ndarray]:
    """Return each row's most probable true class and its probability; (n, k) -> (n,), (n,). Ties go to the first class."""
    best = truth_posterior.argmax(axis=1)
    return best, truth_posterior[np.arange(len(best)), best]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelHard:
    """Relabel rows whose most probable true class is another one, with at least the given certainty."""

    certainty: float = 0.8

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RelabelHard]:
        """Two certainties: nearly sure, and more likely than not."""
        return (RelabelHard(certainty=0.9), RelabelHard(certainty=0.6))

    def choose(self, view: View) -> RowSet:
        """Return rows whose posterior prefers another class, surest first."""
        best, surety = best_class(label_posterior(view.labels, view.pred_probs, view.labelled))
        doubted = editable(view) & (best != view.labels) & (surety >= self.certainty)
        rows = ranked(surety, doubted)
        return RowSet(ids=view.take_ids(rows), scores=surety[rows], reason="the posterior prefers another class")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' labels to their most probable true class."""
        truth = label_posterior(view.labels, view.pred_probs, view.labelled)
        best, surety = best_class(truth)
        if rows is None:
            rows = ranked(surety, editable(view) & (best != view.labels) & (surety >= self.certainty))
        ids = view.take_ids(rows)
        return Edit.relabelling(
            view.schema.task.label,
            ids,
            class_cells(view, best[rows]),
            class_cells(view, view.labels[rows]),
            operator=view.spec,
            reason=f"{len(rows):,} labels contradict out-of-sample predictions with certainty ≥ {self.certainty:g}",
        )
