"""Reweight: let rows count by the probability that their label is right.

    w_i = max(floor, q_i(y_i)),   q_i the posterior of the truth (numerics/noise)

Source: Liu and Tao (2016), Classification with Noisy Labels by Importance Reweighting, TPAMI 38, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import doubtable, ranked, truth_of
from tilth.operators.view import Scope, View

__all__ = ["ReweightDoubt", "trust_weights"]


def trust_weights(labels: IntVector, truth_posterior: Matrix, floor: float) -> Vector:
    """Return the weight of each row: the posterior of its own label, at least `floor`; (n,), (n, k) -> (n,)."""
    return np.asarray(np.maximum(floor, truth_posterior[np.arange(len(labels)), labels]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReweightDoubt:
    """Weight each row by the probability that its label is right."""

    floor: float = 0.05
    least_doubt: float = 0.05

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[ReweightDoubt]:
        """One strength."""
        return (self,)

    def choose(self, view: View) -> RowSet:
        """Return the doubted rows, most doubted first."""
        weights, rows = self._weights(view)
        return RowSet(ids=view.take_ids(rows), scores=1 - weights[rows], reason="the label is in doubt")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights; raises NotApplicable when no label is in doubt."""
        weights, doubted = self._weights(view)
        if rows is None and not len(doubted):
            raise NotApplicable(f"no label is wrong with a probability of {self.least_doubt:g} or more")
        rows = doubted if rows is None else rows
        reason = f"{len(rows):,} rows count by the probability that their label is right"
        return Edit.weighting(view.take_ids(rows), weights[rows], operator=view.spec, reason=reason)

    def _weights(self, view: View) -> tuple[Vector, IntVector]:
        truth = truth_of(view)
        weights = trust_weights(view.labels, truth, self.floor)
        return weights, ranked(1 - weights, doubtable(view) & (weights <= 1 - self.least_doubt))
