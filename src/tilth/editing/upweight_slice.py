"""Upweight a slice: let its rows count more.

    w_i ← w_i · (1 + (times - 1) m_i),   m_i the row's membership

A row that counts r times stands there r times: drawing the slice's rows again (upsampling) gives the same fit but for the chance of the
draw, so that there is no editor for it.

Source: He, Garcia (2009), Learning from Imbalanced Data, IEEE TKDE 21, section 3.2 (cost-sensitive weighting in place of oversampling).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.rowset import RowSet
from tilth.editing._shared import aimed_slice, ranked
from tilth.operators.view import Scope, View

__all__ = ["UpweightSlice", "upweighted"]


def upweighted(weights: Vector, membership: Vector, times: float) -> Vector:
    """Return weights that are `times` as large inside the slice, and by degrees at its edge; (n,), (n,) -> (n,)."""
    return np.asarray(weights * (1 + (times - 1) * membership))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpweightSlice:
    """Let the rows of one slice count more in training.

    Parameters
    ----------
    slice : its name; "" for the slice that is worst off
    times : how many times as much
    """

    slice: str = ""
    times: float = 4.0

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "numbers", "slices", "weights"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[UpweightSlice]:
        """Twice, four and eight times as much."""
        return tuple(replace(self, times=times) for times in (2.0, 4.0, 8.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows of the slice, those that belong to it most first."""
        name, membership, rows = self._inside(view)
        return RowSet(ids=view.take_ids(rows), scores=membership[rows], reason=f"in slice {name!r}")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights; raises NotApplicable when the slice is too small, or everything."""
        name, membership, inside = self._inside(view)
        weights = upweighted(view.weights, membership, self.times)
        if rows is not None:
            weights = upweighted(view.weights, np.ones(len(view)), self.times)
        rows = inside if rows is None else rows
        reason = f"{len(rows):,} rows of slice {name!r} count {self.times:g} times as much"
        return Edit.weighting(view.take_ids(rows), weights[rows], operator=view.spec, reason=reason)

    def _inside(self, view: View) -> tuple[str, Vector, IntVector]:
        name, membership = aimed_slice(view, self.slice)
        return name, membership, ranked(membership, membership > 0.05)
