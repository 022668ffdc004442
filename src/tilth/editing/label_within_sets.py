"""Label within sets: train on rows whose label a migration left open, as a model of the known labels sees them within their set.

    target_i(c) ∝ p(c | x_i) for the classes c that the label may be, else 0;   p fitted to the rows whose class is known

Source: Jin, Ghahramani (2002), Learning with Multiple Labels, NeurIPS, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID, WEIGHT, Split
from tilth.core.rowset import RowSet
from tilth.numerics.partial_labels import within_sets
from tilth.operators.view import Scope, View

__all__ = ["LabelWithinSets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWithinSets:
    """Train on open labels by what a linear model of the known ones says within their sets.

    Parameters
    ----------
    penalty : of that model, as the linear learner's; > 0

    Raises
    ------
    NotApplicable : numeric labels, no label is open, or no class of any open label has a known row

    Randomness: none.

    Source: Jin, Ghahramani (2002), NeurIPS, section 3.
    """

    penalty: float = 0.3

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "label_sets", "splits", "embeddings", "trusted"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[LabelWithinSets]:
        """Two penalties a factor of ten apart, strongest first."""
        return replace(self, penalty=1.0), replace(self, penalty=0.1)

    def choose(self, view: View) -> RowSet:
        """Return the open train rows, the surest first."""
        rows, targets = self._targets(view)
        order = np.argsort(-targets.max(axis=1), kind="stable")
        return RowSet(
            ids=view.take_ids(rows[order]), scores=targets.max(axis=1)[order], reason="a migration left the label open"
        )

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that lets these rows teach; of the rows given, the open ones of train."""
        open_rows, targets = self._targets(view)
        mine = np.ones(len(open_rows), dtype=bool) if rows is None else np.isin(open_rows, rows)
        if not mine.any():
            raise NotApplicable("none of these rows has an open label")
        ids = view.take_ids(open_rows[mine])
        edit = Edit.softening(
            ids,
            targets[mine],
            operator=view.spec,
            reason=f"{int(mine.sum()):,} labels that a migration left open teach what a model of the others makes of them",
        )
        return replace(edit, set={**edit.set, WEIGHT: pa.table({ROW_ID: ids, "value": pa.array(np.ones(len(ids)))})})

    def _targets(self, view: View) -> tuple[IntVector, Matrix]:
        """Return the open train rows, and what is probable within their sets."""
        if view.schema.task.is_regression:
            raise NotApplicable("the label is a number")
        if not view.has("label_sets"):
            raise NotApplicable("the label set was never migrated")
        train = view.splits.astype(str) == str(Split.TRAIN)
        is_open: Mask = train & view.label_sets.any(axis=1) & ~view.labelled & ~view.trusted
        known: Mask = train & view.labelled
        if not is_open.any():
            raise NotApplicable("no label of a train row is open")
        rows = np.flatnonzero(is_open)
        seen = np.bincount(view.labels[known], minlength=view.n_classes) > 0
        if not (view.label_sets[rows] & seen).any():
            raise NotApplicable("no row of the classes in question has a known label yet: tilth ask asks for some")
        return rows, view.once("within", lambda: self._within(view, known, is_open))

    def _within(self, view: View, known: Mask, is_open: Mask) -> Matrix:
        used = known | is_open
        return within_sets(
            view.embeddings[used], view.labels[used], known[used], view.label_sets[is_open], self.penalty
        )
