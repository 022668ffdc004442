"""Stale rows: the oldest rows, where the relation between features and label has changed since.

    rows in 20 blocks of equal size by age; e_b = mean out-of-sample error of block b
    p = least one-sided p-value of Student's t between old and new blocks over nine cuts, times nine
    flagged: rows older than that cut, where p <= alpha and the old error is clearly the larger

Blocks are compared rather than rows, because errors of rows that follow one another are alike. A model
fitted to all ages is held to be most at home where most rows are: an old part that holds more than half of
the rows, or errors that grow towards the present, are not called stale.

Source: Page (1955), A test for a change in a parameter occurring at an unknown point, Biometrika 42; Gama et
al. (2014), A survey on concept drift adaptation, ACM Computing Surveys 46, section 3 (forgetting).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.detection._shared import doubtable, refuse_few_rows, share_of
from tilth.numerics.distributions import student_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import Mask, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["Stale", "StalePart", "stale_part"]

BLOCKS = 20
CUTS = range(2, 11)
"""Numbers of oldest blocks that may be called stale: a tenth to a half of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePart:
    """The oldest part whose errors stand out most, and how surely."""

    n_rows: int
    old_error: float
    new_error: float
    p_value: float


def stale_part(errors: Vector) -> StalePart:
    """Return the oldest part of the rows in which errors stand out most.

    See the module for the test; its p-value is corrected for the nine cuts tried. O(n).

    Parameters
    ----------
    errors : Vector, (n,)
        Out-of-sample error of each row, oldest first, n >= 40; any scale, higher is worse.

    Returns
    -------
    StalePart
        Rows in the old part, mean errors of the two parts, p-value in [0, 1].

    Randomness
    ----------
    None.

    Source
    ------
    Page (1955), Biometrika 42; Student (1908), Biometrika 6.

    Examples
    --------
    >>> stale_part(np.repeat([1.0, 0.0], [50, 150])).n_rows
    50
    """
    edges = np.linspace(0, len(errors), BLOCKS + 1).astype(np.intp)
    means = np.add.reduceat(errors, edges[:-1]) / np.diff(edges)
    if np.ptp(means) <= 0:
        return StalePart(n_rows=0, old_error=means[0], new_error=means[0], p_value=1.0)
    p_values = [_student(means[:cut], means[cut:]) for cut in CUTS]
    best = int(np.argmin(p_values))
    rows = int(edges[CUTS[best]])
    return StalePart(
        n_rows=rows,
        old_error=float(errors[:rows].mean()),
        new_error=float(errors[rows:].mean()),
        p_value=min(1.0, float(p_values[best]) * len(CUTS)),
    )


def _student(old: Vector, new: Vector) -> float:
    """One-sided p-value of a higher mean in `old`, with one variance for both parts."""
    gap, df = float(old.mean() - new.mean()), len(old) + len(new) - 2
    within = ((old - old.mean()) ** 2).sum() + ((new - new.mean()) ** 2).sum()
    error = np.sqrt(within / df * (1 / len(old) + 1 / len(new)))
    if error <= 0:
        return 0.0 if gap > 0 else 1.0
    return float(student_tail(gap / error, df))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Flag the oldest train rows when, out of sample, they are predicted clearly worse than the rest.

    Parameters
    ----------
    alpha : float
        Level of the test; default 0.01.
    least_ratio : float
        Least error of the old part as a multiple of the rest's; default 1.2.
    least_rows : int
        Fewer dated, labelled rows are not split into 20 blocks; default 400.

    Raises
    ------
    NotApplicable
        There is no time column, fewer than 20 different times, or too few rows.

    Randomness
    ----------
    None.

    Source
    ------
    Page (1955), Biometrika 42; Gama et al. (2014), ACM Computing Surveys 46.
    """

    alpha: float = 0.01
    least_ratio: float = 1.2
    least_rows: int = 400

    needs: ClassVar[frozenset[str]] = frozenset({"times", "labels", "numbers", "pred_probs", "predictions", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when old rows are predicted as well as new ones."""
        if not view.has("times"):
            raise NotApplicable("there is no time column")
        dated = view.labelled & (view.times != np.iinfo(np.int64).min)
        rows = np.flatnonzero(dated)
        refuse_few_rows(len(rows), self.least_rows)
        if len(np.unique(view.times[rows])) < BLOCKS:
            raise NotApplicable(f"the time column holds fewer than {BLOCKS} different times")
        rows = rows[np.argsort(view.times[rows], kind="stable")]
        part = stale_part(_errors(view)[rows])
        if part.p_value > self.alpha or part.old_error < self.least_ratio * part.new_error:
            return []
        old = dated & (view.times < view.times[rows[part.n_rows]])
        return [self._report(view, old, part)] if old.any() else []

    def _report(self, view: View, old: Mask, part: StalePart) -> Finding:
        excess = 1 - part.new_error / part.old_error
        what = "mean absolute error" if view.schema.task.is_regression else "error rate"
        return view.finding(
            "stale_row",
            np.where(old, excess, 0.0),
            flagged=old & doubtable(view),
            summary=f"The oldest {share_of(int(old.sum()), int(view.labelled.sum()))} are predicted worse "
            f"than the rest: {what} {part.old_error:.3g} against {part.new_error:.3g} out of sample "
            f"(p = {part.p_value:.1g}).",
            threshold=f"older than the age that parts the errors best, at p <= {self.alpha:g} after "
            f"correction for the ages tried, and an error at least {self.least_ratio:g} times the rest's",
            suggestion="try the model without them, or with less weight on them; the relation to the label "
            "may have changed",
            evidence={"error": _errors(view)},
        )


def _errors(view: View) -> Vector:
    """Out-of-sample error of each row: wrong or right for classes, distance for numbers."""
    if view.schema.task.is_regression:
        return np.where(view.labelled, np.abs(view.numbers - view.predictions), 0.0)
    return np.asarray(view.labelled & (view.pred_probs.argmax(axis=1) != view.labels), dtype=np.float64)
