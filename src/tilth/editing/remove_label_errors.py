"""Remove: drop rows whose label is probably wrong.

    drop i where 1 − q_i(y_i) > doubt,   q_i the posterior of the truth (numerics/noise)

The least doubted row of a class that would lose all its rows stays.

Source: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 3.2 (pruning by the estimated joint).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import Noise, doubtable, label_doubt, ranked, sparing_classes, truth_of
from tilth.operators.view import Scope, View

__all__ = ["RemoveLabelErrors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLabelErrors:
    """Drop train rows whose given label is wrong with more than the given probability.

    `noise`: `counted` where predictions and labels part, or `confirmed` by the likelihood of labels under a noise model.
    """

    doubt: float = 0.5
    noise: Noise = "counted"

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "truth_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[RemoveLabelErrors]:
        """Only the surest, all that confirmed noise makes more likely wrong than right, and all that counted noise does."""
        return (replace(self, doubt=0.9), replace(self, noise="confirmed"), replace(self, doubt=0.5))

    def choose(self, view: View) -> RowSet:
        """Return the rows to drop, most doubted first."""
        rows, doubt = self._wrong(view)
        return RowSet(ids=view.take_ids(rows), scores=doubt[rows], reason="the label is probably wrong")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that drops these rows; raises NotApplicable when there is none to drop."""
        if rows is None:
            rows, _ = self._wrong(view)
            if not len(rows):
                raise NotApplicable(f"no label is wrong with a probability above {self.doubt:g}")
        reason = f"{len(rows):,} labels are wrong with probability > {self.doubt:g}"
        return Edit.removing(view.take_ids(rows), operator=view.spec, reason=reason)

    def _wrong(self, view: View) -> tuple[IntVector, Vector]:
        truth = truth_of(view, self.noise)
        doubt = label_doubt(view.labels, truth)
        return sparing_classes(view, ranked(doubt, doubtable(view) & (doubt > self.doubt))), doubt
