"""Fit the residuals: let each row count by how improbable its label is to a model that did not see it.

    w_i ← w_i · ((1 - share) + share · a_i),   a_i ∝ b_{y_i} exp(-gamma p_i(y_i)), of mean 1,   b_y = 1 / rows of class y

The smooth form of upweighting errors. `share` keeps the other rows' say: the source holds the new last layer near the old one by a
penalty, which is a matter of the learner; a share of the old weights is the same wish said in weights. It is proposed where there is a
slice by whose score it can be tried.

Source: Qiu, Potapczynski, Izmailov, Wilson (2023), Simple and Fast Group Robustness by Automatic Feature Reweighting, ICML, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.rowset import RowSet
from tilth.editing._shared import ranked, refuse_no_slices, refuse_numbers
from tilth.operators.view import Scope, View

__all__ = ["FitResiduals", "residual_weights"]


def residual_weights(labels: IntVector, pred_probs: Matrix, gamma: float) -> Vector:
    """Return weights of mean 1, larger for rows of improbable labels and of rare classes; (n,), (n, k) -> (n,)."""
    own = pred_probs[np.arange(len(labels)), labels]
    weights = np.exp(-gamma * own) / np.bincount(labels)[labels]
    return np.asarray(weights / weights.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResiduals:
    """Weight train rows by how improbable their labels are out of sample; no group needs to be known.

    Parameters
    ----------
    slice : the slice whose score is to rise; it judges the edit, and has no part in the weights
    gamma : how fast a row's weight falls with the probability of its label
    share : say of these weights beside the old ones, in [0, 1]
    """

    slice: str = ""
    gamma: float = 4.0
    share: float = 0.5

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "weights", "slices"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1
    mends_all: ClassVar[bool] = True
    """It weights all groups at once: it is tried for the slice that is worst off alone."""

    def strengths(self) -> Sequence[FitResiduals]:
        """A tenth, a quarter and half of the say."""
        return tuple(replace(self, share=share) for share in (0.1, 0.25, 0.5))

    def choose(self, view: View) -> RowSet:
        """Return all labelled rows, those that gain most weight first."""
        weights = self._weights(view)[1]
        ordered = ranked(weights, view.labelled)
        return RowSet(
            ids=view.take_ids(ordered), scores=weights[ordered], reason="counts by how improbable its label is"
        )

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights."""
        labelled, weights = self._weights(view)
        rows = labelled if rows is None else rows
        reason = f"rows count by how improbable their labels are (share {self.share:g})"
        return Edit.weighting(view.take_ids(rows), weights[rows], operator=view.spec, reason=reason)

    def _weights(self, view: View) -> tuple[IntVector, Vector]:
        rows = refuse_numbers(view)
        refuse_no_slices(view)
        weights = np.array(view.weights)
        times = residual_weights(view.labels[rows], view.pred_probs[rows], self.gamma)
        weights[rows] *= 1 - self.share + self.share * times
        return rows, weights
