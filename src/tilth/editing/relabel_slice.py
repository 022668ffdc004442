"""Relabel a slice's suspects: rows of one slice whose label contradicts the posterior of the truth.

    new label = argmax_c q_i(c)   for rows of the slice where it is another and q_i(c) ≥ certainty

Noise is counted within the slice: where labels are wrong in one group only (one source, one annotator, one season), the confusion of all
rows together is much too small for it, and its wrong labels pass for right.

Source: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 3; Wang, Liu, Levy (2021), Fair Classification with
Group-Dependent Label Noise, FAccT (noise rates by group).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import aimed_slice, class_cells, doubtable, ranked, refuse_numbers, sparing_classes
from tilth.numerics.noise import refuse_ignorance, truth_posterior
from tilth.operators.view import Scope, View

__all__ = ["RelabelSlice", "posterior_inside"]


def posterior_inside(labels: IntVector, pred_probs: Matrix, inside: Mask) -> Matrix:
    """Return p(truth | features, given label) by the noise among the rows inside, and certainty of the label outside.

    (n,), (n, k), (n,) -> (n, k).
    """
    truth = np.eye(pred_probs.shape[1])[labels]
    truth[inside] = truth_posterior(labels[inside], pred_probs[inside])
    return np.asarray(truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelSlice:
    """Relabel rows of one slice whose most probable true class is another one, with at least the given certainty.

    Parameters
    ----------
    slice : its name; "" for the slice that is worst off
    certainty : least probability of the other class
    noise : counted within the slice, or the run's `truth_probs`, whose noise is confirmed by likelihood over all rows
    """

    slice: str = ""
    certainty: float = 0.8
    noise: Literal["slice", "confirmed"] = "slice"

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "truth_probs", "trusted", "slices"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RelabelSlice]:
        """Two certainties: nearly sure, and more likely than not."""
        return tuple(replace(self, certainty=certainty) for certainty in (0.9, 0.6))

    def choose(self, view: View) -> RowSet:
        """Return the suspects, surest first."""
        _, _, surety, rows = self._suspects(view)
        return RowSet(
            ids=view.take_ids(rows), scores=surety[rows], reason="in the slice, the posterior prefers another class"
        )

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' labels; raises NotApplicable when no label of the slice is contradicted."""
        name, best, _, suspects = self._suspects(view)
        if rows is None and not len(suspects):
            raise NotApplicable(f"no label in slice {name!r} is contradicted with certainty ≥ {self.certainty:g}")
        rows = suspects if rows is None else rows
        return Edit.relabelling(
            view.schema.task.label,
            view.take_ids(rows),
            class_cells(view, best[rows]),
            class_cells(view, view.labels[rows]),
            operator=view.spec,
            reason=f"{len(rows):,} labels in slice {name!r} contradict predictions with certainty ≥ {self.certainty:g}",
        )

    def _suspects(self, view: View) -> tuple[str, IntVector, Vector, IntVector]:
        refuse_numbers(view)
        name, membership = aimed_slice(view, self.slice)
        inside = membership >= 0.5
        truth = self._truth(view, name, inside)
        best = truth.argmax(axis=1)
        surety = truth[np.arange(len(best)), best]
        doubted = doubtable(view) & inside & (best != view.labels) & (surety >= self.certainty)
        return name, best, surety, sparing_classes(view, ranked(surety, doubted))

    def _truth(self, view: View, name: str, inside: Mask) -> Matrix:
        if not (doubtable(view) & inside).any():
            raise NotApplicable(f"a person confirmed every label in slice {name!r}: there is none to doubt")
        if len(np.unique(view.labels[inside])) < 2:
            raise NotApplicable(f"slice {name!r} holds one class only: its noise cannot be counted")
        refuse_ignorance(view.labels[view.labelled], view.pred_probs[view.labelled])
        if self.noise == "confirmed":
            return np.where(inside[:, None], view.truth_probs, np.eye(view.n_classes)[view.labels])
        return posterior_inside(view.labels, view.pred_probs, inside)
