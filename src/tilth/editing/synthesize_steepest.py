"""Active synthesis: rows made of the class or the slice whose learning curve is steepest.

    slope(g) = mean of p_all(label) - p_half(label) over the rows of g, by models that did not see them and learnt from all, or half,
               of the other rows;   rows are made of the g whose slope has the highest lower bound

Where the worst slice is bad because its rows contradict one another, more of them bring nothing; where a doubling of the rows has just
brought much, another may again. Numbers stand between near rows of a class, parts of texts are exchanged, images are varied.

Source: Cortes et al. (1993), Learning Curves, NeurIPS; Chawla et al. (2002), SMOTE, JAIR 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Mask
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType
from tilth.editing._drafts import drafted_among, usual_variation, varied_rows
from tilth.editing._made_rows import Draft, made_edit
from tilth.editing._making import MAKER_NEEDS, anchored_inside, parents_of, real_rows, refuse_many
from tilth.editing._shared import LEAST_ROWS
from tilth.numerics.learning_slopes import doubling_slopes
from tilth.operators.view import Scope, View

__all__ = ["SynthesizeSteepest"]

LEVEL = 0.9
"""Of the slopes' intervals, whose lower ends are compared: it orders groups, and decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizeSteepest:
    """Make rows of the class or slice that gained most from the last doubling of the train rows.

    Parameters
    ----------
    times : made rows per row of the class or slice
    neighbours : near rows of the same class that a partner is drawn from
    """

    times: float = 1.0
    neighbours: int = 5

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS | {"pred_probs", "half_probs", "slices", "transforms"}
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[SynthesizeSteepest]:
        """As many rows as there are: a further doubling."""
        return (self,)

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            No class or slice of 20 rows surely gained from the last doubling, there are more than 5,000 labelled rows, a column's cells
            cannot be made, or too few rows pass the gate.
        """
        real = real_rows(view)
        refuse_many(real)
        name, inside, slope = _steepest(view, real)
        inside, anchors, draws = anchored_inside(view, name, inside, self.times, rows)
        draft, more = self._drafted(view, inside, anchors, draws)
        rise = f"{100 * slope.value:+.1f} points [{100 * slope.low:+.1f}, {100 * slope.high:+.1f}]"
        what = f"made of {name}, whose labels gained {rise} of probability from the last doubling of train rows"
        return made_edit(view, draft, real, what=what, more=more)

    def _drafted(
        self, view: View, inside: IntVector, anchors: IntVector, draws: IntVector
    ) -> tuple[Draft, tuple[str, ...]]:
        if not any(column.type is ColumnType.IMAGE for column in view.schema.features):
            return drafted_among(view, inside, anchors, draws, self.neighbours)
        return varied_rows(view, usual_variation(view), anchors, draws), ()


def _steepest(view: View, real: IntVector) -> tuple[str, IntVector, Estimate]:
    """Return the class or slice whose slope has the highest lower bound, its rows among the real ones, and the slope."""
    if not view.has("half_probs"):
        raise NotApplicable("there are no predictions by models of half of the rows")
    labels = view.labels[real].astype(np.intp)
    groups: dict[str, Mask] = {f"class {view.classes[c]!r}": labels == c for c in np.unique(labels)}
    for name, membership in (view.slices if view.has("slices") else {}).items():
        groups[f"slice {name!r}"] = membership[real] >= 0.5
    groups = {name: mine for name, mine in groups.items() if mine.sum() >= LEAST_ROWS}
    slopes = doubling_slopes(labels, view.pred_probs[real], view.half_probs[real], list(groups.values()), level=LEVEL)
    found = dict(zip(groups, slopes, strict=True))
    best = max(found, key=lambda name: found[name].low, default="")
    if not best or found[best].low <= 0:
        raise NotApplicable("no class or slice surely gained from the last doubling of the train rows")
    return best, real[groups[best]], found[best]
