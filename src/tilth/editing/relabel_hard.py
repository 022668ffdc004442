"""Relabel: give doubted rows the class that the posterior of the truth puts first.

    new label = argmax_c q_i(c)   where it is another and max_c q_i(c) ≥ certainty,   q_i the posterior of the truth (numerics/noise)

The least certain row of a class that would lose all its rows keeps its label.

Source: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 3; posterior as in Lipton, Wang, Smola (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import class_cells, doubtable, ranked, sparing_classes, truth_of
from tilth.operators.view import Scope, View

__all__ = ["RelabelHard", "best_class"]


def best_class(truth_posterior: Matrix) -> tuple[IntVector, Vector]:
    """Return each row's most probable true class and its probability; (n, k) -> (n,), (n,). Ties go to the first class."""
    best = truth_posterior.argmax(axis=1)
    return best, truth_posterior[np.arange(len(best)), best]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelHard:
    """Relabel rows whose most probable true class is another one, with at least the given certainty."""

    certainty: float = 0.8

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[RelabelHard]:
        """Two certainties: nearly sure, and more likely than not."""
        return tuple(replace(self, certainty=certainty) for certainty in (0.9, 0.6))

    def choose(self, view: View) -> RowSet:
        """Return rows whose posterior prefers another class, surest first."""
        _, surety, rows = self._contradicted(view)
        return RowSet(ids=view.take_ids(rows), scores=surety[rows], reason="the posterior prefers another class")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' labels to their most probable true class.

        Raises NotApplicable when no label is contradicted.
        """
        best, _, contradicted = self._contradicted(view)
        if rows is None and not len(contradicted):
            raise NotApplicable(f"no label is contradicted with certainty ≥ {self.certainty:g}")
        rows = contradicted if rows is None else rows
        return Edit.relabelling(
            view.schema.task.label,
            view.take_ids(rows),
            class_cells(view, best[rows]),
            class_cells(view, view.labels[rows]),
            operator=view.spec,
            reason=f"{len(rows):,} labels contradict out-of-sample predictions with certainty ≥ {self.certainty:g}",
        )

    def _contradicted(self, view: View) -> tuple[IntVector, Vector, IntVector]:
        best, surety = best_class(truth_of(view))
        doubted = doubtable(view) & (best != view.labels) & (surety >= self.certainty)
        return best, surety, sparing_classes(view, ranked(surety, doubted))
