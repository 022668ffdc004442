"""Relabel numbers: pull labels with an extreme residual toward the out-of-sample prediction.

    r_i = y_i − ŷ_i,   new y_i = ŷ_i + clip(r_i, ± c·s),   s = 1.4826 · median |r|

Source: Huber (1964), Robust Estimation of a Location Parameter, Ann. Math. Stat. 35 (metrically Winsorized residuals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import doubtable, ranked
from tilth.operators.view import Scope, View

__all__ = ["RelabelNumbers", "winsorized"]


def winsorized(numbers: Vector, predictions: Vector, cutoff: float) -> tuple[Vector, Vector]:
    """Return labels with clipped residuals, and |residual| in robust standard deviations; (n,), (n,) -> (n,), (n,)."""
    residuals = numbers - predictions
    scale = 1.4826 * np.median(np.abs(residuals))
    if scale == 0:
        return numbers, np.zeros(len(numbers))
    return predictions + np.clip(residuals, -cutoff * scale, cutoff * scale), np.abs(residuals) / scale


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelNumbers:
    """Clip numeric labels whose residual exceeds `cutoff` robust standard deviations."""

    cutoff: float = 4.0

    needs: ClassVar[frozenset[str]] = frozenset({"numbers", "predictions", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RelabelNumbers]:
        """Only the wildest, and the merely far."""
        return tuple(replace(self, cutoff=cutoff) for cutoff in (6.0, 3.0))

    def choose(self, view: View) -> RowSet:
        """Return rows with extreme residuals, wildest first."""
        _, distance, rows = self._extreme(view)
        return RowSet(ids=view.take_ids(rows), scores=distance[rows], reason="the residual is extreme")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that clips these rows' labels; raises NotApplicable when none is extreme."""
        clipped, _, extreme = self._extreme(view)
        if rows is None and not len(extreme):
            raise NotApplicable(
                f"no label lies more than {self.cutoff:g} robust standard deviations from its prediction"
            )
        rows = extreme if rows is None else rows
        return Edit.relabelling(
            view.schema.task.label,
            view.take_ids(rows),
            pa.array(clipped[rows]),
            pa.array(np.array(view.numbers[rows])),
            operator=view.spec,
            reason=f"{len(rows):,} labels lie more than {self.cutoff:g} robust standard deviations from their prediction",
        )

    def _extreme(self, view: View) -> tuple[Vector, Vector, IntVector]:
        if not view.schema.task.is_regression:
            raise NotApplicable("it edits numeric labels, and the label is a class")
        usable = np.flatnonzero(view.labelled)
        if not len(usable):
            raise NotApplicable("no train row has a label")
        if not doubtable(view).any():
            raise NotApplicable("a person confirmed every label: there is none to doubt")
        clipped, distance = np.array(view.numbers), np.zeros(len(view))
        clipped[usable], distance[usable] = winsorized(view.numbers[usable], view.predictions[usable], self.cutoff)
        rows = ranked(distance, doubtable(view) & (distance > self.cutoff))
        return clipped, distance, rows
