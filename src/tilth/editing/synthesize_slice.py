"""Synthesize for a slice: rows made from near rows of a class inside one slice.

Numbers stand between two rows, categories go by vote, as in SMOTE; where there is a text column, parts of texts are exchanged.

Source: Chawla et al. (2002), SMOTE, JAIR 16, section 4.2; Goel et al. (2021), Model Patching, ICLR (augmentation aimed at the group that is
worst off).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.rowset import RowSet
from tilth.editing._drafts import drafted_among
from tilth.editing._made_rows import made_edit
from tilth.editing._making import MAKER_NEEDS, anchored_inside, parents_of, real_rows
from tilth.editing._shared import aimed_slice
from tilth.operators.view import Scope, View

__all__ = ["SynthesizeSlice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizeSlice:
    """Make rows from rows of one slice.

    Parameters
    ----------
    slice : its name; "" for the slice that is worst off
    times : made rows per row of the slice
    neighbours : near rows of class and slice that a partner is drawn from
    """

    slice: str = ""
    times: float = 1.0
    neighbours: int = 5

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS | {"slices"}
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[SynthesizeSlice]:
        """One and four rows for each row of the slice."""
        return (replace(self, times=1.0), replace(self, times=4.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            The slice is too small or everything, a column's cells cannot be made, or too few rows pass the gate.
        """
        real = real_rows(view)
        name, membership = aimed_slice(view, self.slice)
        members = real[membership[real] >= 0.5]
        inside, anchors, draws = anchored_inside(view, f"slice {name!r}", members, self.times, rows)
        draft, more = drafted_among(view, inside, anchors, draws, self.neighbours)
        return made_edit(view, draft, real, what=f"made in slice {name!r}", more=more)
