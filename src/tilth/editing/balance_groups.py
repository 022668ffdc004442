"""Balance groups: weight rows so that slice × class groups count alike.

    w_i ← w_i · (largest group / group of i) ^ strength, at most `most_times`, scaled to the old mean

On frozen features this is the last-layer retraining of DFR, said in weights. With few group labels, rows in no slice have their
slice guessed from the others, or count little (then the groups that are known decide, as in DFR's held-out part).

Source: Kirichenko, Izmailov, Wilson (2023), Last Layer Re-Training is Sufficient for Robustness to Spurious Correlations, ICLR; Nam, Kim,
Lee, Shin (2022), Spread Spurious Attribute, ICLR (groups guessed from few).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.rowset import RowSet
from tilth.editing._shared import Others, in_id_order, refuse_numbers, slice_groups
from tilth.numerics.slice_groups import group_balance
from tilth.operators.view import Scope, View

__all__ = ["BalanceGroups", "balanced"]

LITTLE = 0.05
"""What a row of no slice counts where such rows count little."""


def balanced(weights: Vector, times: Vector) -> Vector:
    """Return weights multiplied by `times`, with the mean that they had; (n,), (n,) -> (n,)."""
    changed = weights * times
    return np.asarray(changed * (weights.mean() / changed.mean()))


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceGroups:
    """Weight train rows so that groups, slices × classes, count more evenly.

    Parameters
    ----------
    slice : the slice whose score is to rise; it judges the edit, and has no part in the weights
    strength : 1 makes groups count alike, as far as `most_times` allows; 0.5 goes half way
    others : what rows of no slice are: a group of their own, of a guessed slice, or rows that count a twentieth
    most_times : greatest factor between two rows
    """

    slice: str = ""
    strength: float = 1.0
    others: Others = "group"
    most_times: float = 100.0

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "slices", "weights", "embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1
    mends_all: ClassVar[bool] = True
    """It weights all groups at once: it is tried for the slice that is worst off alone."""

    def strengths(self) -> Sequence[BalanceGroups]:
        """A quarter, half way and even; half way and even with slices guessed; even, with rows of no slice hardly counting."""
        whole = tuple(replace(self, strength=strength, others="group") for strength in (0.25, 0.5, 1.0))
        guessed = tuple(replace(self, strength=strength, others="guessed") for strength in (0.5, 1.0))
        return (*whole, *guessed, replace(self, strength=1.0, others="little"))

    def choose(self, view: View) -> RowSet:
        """Return all labelled rows; every one gets a weight."""
        rows, _ = self._weights(view)
        return RowSet(ids=view.take_ids(rows), reason="groups are of unequal size")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights."""
        labelled, weights = self._weights(view)
        rows = labelled if rows is None else rows
        reason = f"groups of slices and classes count more evenly (strength {self.strength:g})"
        return Edit.weighting(view.take_ids(rows), weights[rows], operator=view.spec, reason=reason)

    def _weights(self, view: View) -> tuple[IntVector, Vector]:
        rows = in_id_order(view, refuse_numbers(view))
        groups = slice_groups(view, rows, self.others, with_class=True)
        weights = np.array(view.weights)
        times = group_balance(groups, weights[rows], self.strength, self.most_times)
        if self.others == "little":
            times = np.where(groups.max(axis=1) >= 0.5, times, LITTLE)
        weights[rows] = balanced(weights[rows], times)
        return rows, weights
