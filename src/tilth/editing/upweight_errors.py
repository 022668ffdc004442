"""Upweight errors: let rows that an out-of-sample model gets wrong count more.

    w_i ← w_i · times   where argmax_c p_i(c) ≠ y_i

Where a model leans on a shortcut, its errors are the rows on which the shortcut misleads. They are also the rows with wrong labels:
where labels are noisy this teaches the noise. No group needs to be known; but it is proposed only where there is a slice by whose
score it can be tried.

Source: Liu et al. (2021), Just Train Twice: Improving Group Robustness without Training Group Information, ICML, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import LEAST_ROWS, label_doubt, ranked, refuse_no_slices, refuse_numbers
from tilth.operators.view import Scope, View

__all__ = ["UpweightErrors", "is_error"]


def is_error(labels: IntVector, pred_probs: Matrix) -> Mask:
    """Return which rows' most probable class is not their label; (n,), (n, k) -> (n,). Ties go to the first class."""
    return np.asarray(pred_probs.argmax(axis=1) != labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpweightErrors:
    """Let rows that are predicted wrong out of sample count more in training.

    Parameters
    ----------
    slice : the slice whose score is to rise; it judges the edit, and has no part in the weights
    times : how many times as much
    """

    slice: str = ""
    times: float = 4.0

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "weights", "slices"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1
    mends_all: ClassVar[bool] = True
    """It weights all groups at once: it is tried for the slice that is worst off alone."""

    def strengths(self) -> Sequence[UpweightErrors]:
        """Twice, four and ten times as much."""
        return tuple(replace(self, times=times) for times in (2.0, 4.0, 10.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows that are predicted wrong, least probable label first."""
        rows, doubt = self._errors(view)
        return RowSet(ids=view.take_ids(rows), scores=doubt[rows], reason="predicted wrong out of sample")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights; raises NotApplicable where hardly a row is predicted wrong."""
        errors, _ = self._errors(view)
        rows = errors if rows is None else rows
        reason = f"{len(rows):,} rows that are predicted wrong count {self.times:g} times as much"
        return Edit.weighting(view.take_ids(rows), self.times * view.weights[rows], operator=view.spec, reason=reason)

    def _errors(self, view: View) -> tuple[IntVector, np.ndarray]:
        refuse_numbers(view)
        refuse_no_slices(view)
        doubt = label_doubt(view.labels, view.pred_probs)
        rows = ranked(doubt, view.labelled & is_error(view.labels, view.pred_probs))
        if len(rows) < LEAST_ROWS:
            raise NotApplicable(f"{len(rows):,} rows are predicted wrong, fewer than {LEAST_ROWS}")
        return rows, doubt
