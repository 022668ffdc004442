"""Remove: drop rows whose label is probably wrong.

    drop i where 1 − q_i(y_i) > doubt,   q_i the posterior of the truth

Source: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 3.2 (pruning by the estimated joint).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.rowset import RowSet
from tilth.editing._shared import editable, label_posterior, ranked
from tilth.operators.view import Scope, View

__all__ = ["RemoveLabelErrors", "label_doubt"]


def label_doubt(labels: IntVector, truth_posterior: Matrix) -> Vector:
    """Return the probability that each given label is wrong; (n,), (n, k) -> (n,) in [0, 1]."""
    return np.asarray(1 - truth_posterior[np.arange(len(labels)), labels])


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLabelErrors:
    """Drop train rows whose given label is wrong with more than the given probability."""

    doubt: float = 0.5

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RemoveLabelErrors]:
        """Only the surest, and all that are more likely wrong than right."""
        return (RemoveLabelErrors(doubt=0.9), RemoveLabelErrors(doubt=0.5))

    def choose(self, view: View) -> RowSet:
        """Return the rows to drop, most doubted first."""
        doubt = label_doubt(view.labels, label_posterior(view.labels, view.pred_probs, view.labelled))
        rows = ranked(doubt, editable(view) & (doubt > self.doubt))
        return RowSet(ids=view.take_ids(rows), scores=doubt[rows], reason="the label is probably wrong")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that drops these rows."""
        ids = self.choose(view).ids if rows is None else view.take_ids(rows)
        reason = f"{len(ids):,} labels are wrong with probability > {self.doubt:g}"
        return Edit.removing(ids, operator=view.spec, reason=reason)
