"""Remove what was found: drop the train rows that a detector flagged.

    drop every flagged row of one kind of finding

Source: Rahm and Do (2000), Data Cleaning: Problems and Current Approaches, IEEE Data Engineering Bulletin 23 (duplicate elimination).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import positions_of
from tilth.operators.view import Scope, View

__all__ = ["REMOVABLE", "RemoveFlagged"]

REMOVABLE = ("leakage", "exact_duplicate", "near_duplicate", "outlier", "ambiguous", "label_error", "stale_row")
"""Kinds of finding whose rows it can make sense to drop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFlagged:
    """Drop the train rows that one kind of finding flags."""

    kind: str = "exact_duplicate"

    needs: ClassVar[frozenset[str]] = frozenset({"findings", "labels", "numbers", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RemoveFlagged]:
        """One variant for each kind; label errors of classes have an editor of their own."""
        return tuple(RemoveFlagged(kind=kind) for kind in REMOVABLE)

    def choose(self, view: View) -> RowSet:
        """Return the flagged rows, worst first."""
        if self.kind not in view.findings:
            raise NotApplicable(f"nothing of kind {self.kind} was found")
        if self.kind == "label_error" and not view.schema.task.is_regression:
            raise NotApplicable("remove_label_errors does this for classes")
        rows = positions_of(view, view.findings[self.kind].flagged_ids)
        rows = rows[(view.labelled & ~view.trusted)[rows]]
        return RowSet(ids=view.take_ids(rows), scores=np.arange(len(rows), 0, -1.0), reason=f"flagged as {self.kind}")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that drops these rows."""
        ids = self.choose(view).ids if rows is None else view.take_ids(rows)
        return Edit.removing(ids, operator=view.spec, reason=f"{len(ids):,} rows are flagged as {self.kind}")
