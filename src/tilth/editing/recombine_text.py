"""Recombine texts: parts of near texts of one class exchanged, or slots in which two texts of one pattern differ.

A made text is none that was there before; of near rows of the class the one is the partner with which something new comes out.

Source: Andreas (2020), Good-Enough Compositional Data Augmentation, ACL; Jia, Liang (2016), Data Recombination for Neural Semantic
Parsing, ACL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType
from tilth.editing._drafts import recombined_texts
from tilth.editing._made_rows import made_edit
from tilth.editing._making import MAKER_NEEDS, anchored, parents_of, real_rows, refuse_many
from tilth.operators.view import Scope, View

__all__ = ["RecombineText"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecombineText:
    """Make texts of parts of others of their class, for every class that has two rows or more.

    Parameters
    ----------
    times : rows that are tried per row of a class; from some texts nothing new comes out
    neighbours : near rows of the class among which partners are sought
    """

    times: float = 1.0
    neighbours: int = 10

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RecombineText]:
        """One and four tries for each row."""
        return (replace(self, times=1.0), replace(self, times=4.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            There is no text column, every class has one row, or too few rows pass the gate.
        """
        real = real_rows(view)
        refuse_many(real)
        if not any(column.type is ColumnType.TEXT for column in view.schema.features):
            raise NotApplicable("there is no text column")
        sizes = np.bincount(view.labels[real], minlength=view.n_classes)
        usable = real[sizes[view.labels[real]] > 1]
        if not len(usable):
            raise NotApplicable("every class has one row: there is no other text to take parts from")
        mine = usable if rows is None else np.intersect1d(usable, rows)
        anchors, draws = anchored(view, mine, self.times, round(self.times * len(mine)))
        draft, n_none = recombined_texts(view, real, anchors, draws, self.neighbours)
        more = [f"{n_none:,} from which no new text came"] if n_none else []
        return made_edit(view, draft, real, what="recombined from near texts", more=more)
