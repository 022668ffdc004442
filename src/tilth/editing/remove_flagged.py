"""Remove what was found: drop the train rows that a detector flagged.

    drop every flagged row of one kind of finding

A class that would lose all its rows keeps the least severe one, unless what is wrong with it is that it leaks.

Source: Rahm and Do (2000), Data Cleaning: Problems and Current Approaches, IEEE Data Engineering Bulletin 23 (duplicate elimination).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.finding import Finding
from tilth.core.rowset import RowSet
from tilth.editing._shared import doubtable, sparing_classes
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
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[RemoveFlagged]:
        """One variant for each kind, none stronger than another; label errors of classes have an editor of their own."""
        return tuple(RemoveFlagged(kind=kind) for kind in REMOVABLE)

    def choose(self, view: View) -> RowSet:
        """Return the flagged rows, worst first."""
        rows, severity = self._flagged(view)
        return RowSet(ids=view.take_ids(rows), scores=severity, reason=f"flagged as {self.kind}")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that drops these rows; raises NotApplicable when there is none to drop."""
        if rows is None:
            rows, _ = self._flagged(view)
            if not len(rows):
                raise NotApplicable(
                    f"no row flagged as {self.kind} may go: a person confirmed its label, or it is its class's last"
                )
        reason = f"{len(rows):,} rows are flagged as {self.kind}"
        return Edit.removing(view.take_ids(rows), operator=view.spec, reason=reason)

    def _flagged(self, view: View) -> tuple[IntVector, Vector]:
        """Positions of the flagged rows that may go, worst first, and their severities; (m,), (m,)."""
        if self.kind not in view.findings:
            raise NotApplicable(f"nothing of kind {self.kind} was found")
        is_regression = view.schema.task.is_regression
        if self.kind == "label_error" and not is_regression:
            raise NotApplicable("remove_label_errors does this for classes")
        severity = _severities(view, view.findings[self.kind])
        rows = np.flatnonzero(doubtable(view) & (severity >= 0))
        rows = rows[np.argsort(-severity[rows], kind="stable")]
        if not is_regression and self.kind != "leakage":
            rows = sparing_classes(view, rows)
        return rows, severity[rows]


def _severities(view: View, finding: Finding) -> Vector:
    """Severity of each flagged row of the view, −1 for the others; (n,)."""
    flagged, worst = finding.ids.filter(pa.array(finding.flagged)), finding.severity[finding.flagged]
    at = pc.index_in(flagged, value_set=view.ids)
    severity = np.full(len(view), -1.0)
    severity[np.asarray(pc.drop_null(at), dtype=np.intp)] = worst[np.asarray(pc.is_valid(at))]
    return severity
