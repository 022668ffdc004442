"""Balance: weight rows so that rare classes count more.

    w_i ∝ (n / n_{y_i}) ^ strength, scaled to mean 1

Source: King and Zeng (2001), Logistic Regression in Rare Events Data, Political Analysis 9, section 4.1 (weighting).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.operators.view import Scope, View

__all__ = ["BalanceClasses", "balancing_weights"]


def balancing_weights(labels: IntVector, n_classes: int, strength: float) -> Vector:
    """Return weights with mean 1, larger for rarer classes; (n,) -> (n,). Strength 1 gives every class one total."""
    counts = np.bincount(labels, minlength=n_classes).astype(np.float64)
    weights = (len(labels) / np.maximum(counts, 1.0)[labels]) ** strength
    return np.asarray(weights / weights.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceClasses:
    """Weight train rows so that classes count more evenly; only where one class has 3 times the rows of another."""

    strength: float = 1.0
    least_ratio: float = 3.0

    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[BalanceClasses]:
        """Half way (square root), and fully even."""
        return tuple(replace(self, strength=strength) for strength in (0.5, 1.0))

    def choose(self, view: View) -> RowSet:
        """Return all labelled rows; every one gets a weight."""
        self._refuse_balanced(view)
        return RowSet(ids=view.take_ids(view.labelled), reason="classes are of unequal size")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights."""
        self._refuse_balanced(view)
        labelled = np.flatnonzero(view.labelled)
        weights = np.ones(len(view))
        weights[labelled] = balancing_weights(view.labels[labelled], view.n_classes, self.strength)
        rows = labelled if rows is None else rows
        reason = f"classes count more evenly (strength {self.strength:g})"
        return Edit.weighting(view.take_ids(rows), weights[rows], operator=view.spec, reason=reason)

    def _refuse_balanced(self, view: View) -> None:
        if view.schema.task.is_regression:
            raise NotApplicable("the label is a number; there are no classes to balance")
        counts = np.bincount(view.labels[view.labelled], minlength=view.n_classes)
        present = counts[counts > 0]
        if len(present) < 2:
            raise NotApplicable("the labels name fewer than two classes: there is nothing to balance")
        if present.max() < self.least_ratio * present.min():
            largest, smallest = f"{present.max():,}", f"{present.min():,}"
            raise NotApplicable(
                f"classes are of similar size: {largest} rows against {smallest}, less than {self.least_ratio:g} to 1"
            )
