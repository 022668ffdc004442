"""SMOTE: rows of a rare class made between a row and a near one of its class; categories by vote of the near rows.

    number    x_a + u (x_b - x_a);   category  what most of the k near rows have

Near rows are found in the encoded features, where categories have their share of the distance. With `border` rows are made of those
alone that are in danger: at least half, but not all, of their near rows are of other classes.

Source: Chawla et al. (2002), SMOTE, JAIR 16, sections 4.2 and 6.1; Han, Wang, Mao (2005), Borderline-SMOTE, ICIC, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, rows_of
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType
from tilth.editing._drafts import smoted
from tilth.editing._made_rows import made_edit
from tilth.editing._making import BLENDED, MAKER_NEEDS, anchored, parents_of, rare_classes, real_rows, refuse_columns
from tilth.numerics.oversampling import in_danger
from tilth.operators.view import Scope, View

__all__ = ["Smote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smote:
    """Make rows of rare classes between near rows; only where one class has 3 times the rows of another, and cells can be blended.

    Parameters
    ----------
    times : made rows per row of a rare class, up to what the class lacks to the largest
    border : make them of rows in danger alone
    neighbours : near rows of the class that one is drawn from
    least_ratio : rows of the largest class per row of a rare one
    """

    times: float = 2.0
    border: bool = False
    neighbours: int = 5
    least_ratio: float = 3.0

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[Smote]:
        """Two and ten rows for each; and four for each in danger."""
        return (replace(self, times=2.0), replace(self, times=10.0), replace(self, times=4.0, border=True))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            No class is rare, a rare one has one row, a column's cells cannot be blended, or the gate lets too few rows pass.
        """
        real = real_rows(view)
        refuse_columns(view, (*BLENDED, ColumnType.CATEGORY))
        anchors, draws = self._anchors(view, real, rows)
        draft = smoted(view, real, anchors, draws, self.neighbours)
        what = "made between near rows in danger" if self.border else "made between near rows"
        return made_edit(view, draft, real, what=what)

    def _anchors(self, view: View, real: IntVector, rows: IntVector | None) -> tuple[IntVector, IntVector]:
        parts = []
        for c, lacking in rare_classes(view, real, self.least_ratio).items():
            of_class = np.flatnonzero(view.labels[real] == c)
            if self.border:
                labels = view.labels[real].astype(np.intp)
                of_class = of_class[in_danger(rows_of(view.embeddings, real), labels, of_class)]
            mine = real[of_class] if rows is None else np.intersect1d(real[of_class], rows)
            parts.append(anchored(view, mine, self.times, lacking))
        anchors, draws = (np.concatenate([part[one] for part in parts]) for one in (0, 1))
        if not len(anchors):
            raise NotApplicable("no row of a rare class is in danger" if self.border else "no row is of a rare class")
        return anchors, draws
