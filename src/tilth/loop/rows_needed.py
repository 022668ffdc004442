"""How many test rows, and labels, a clause needs for its tolerance: before any is there, and by what the test rows show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tilth.core.condition import Clause
from tilth.numerics.sample_sizes import (
    bennett_rows,
    exact_difference_rows,
    exact_share_rows,
    hoeffding_rows,
    observed_rows,
)

__all__ = ["Seen", "plan_rows", "rows_needed"]


class Seen(NamedTuple):
    """What test rows show of a clause's sum: how many there are, the half width of its confidence set, and of what kind it is.

    `changed` is the share of rows on which two models differ in correctness, for a difference of their accuracies; else None.
    """

    rows: int
    half_width: float
    is_share: bool
    changed: float | None


def plan_rows(clause: Clause, tail: float, most_changed: float | None) -> Mapping[str, tuple[int, int]]:
    """Return method -> rows and labels for a clause of accuracies and d, before any test row is there.

    Methods that do not apply are left out; nothing applies to other metrics, whose spread is not known beforehand.
    """
    if clause.tolerance is None or any(term.metric or term.where for term in clause.terms):
        return {}
    width = sum(abs(term.factor) for term in clause.terms)
    found = {"Hoeffding": (hoeffding_rows(width, clause.tolerance, tail),) * 2}
    factors = {term.model: term.factor for term in clause.terms}
    if len(clause.terms) == 1 and abs(width) == 1:
        rows = exact_share_rows(min(max(clause.threshold, 0.0), 1.0), clause.tolerance, tail)
        found["exact"] = (rows, 0 if "d" in factors else rows)
        if "d" in factors:
            found["Hoeffding"] = (found["Hoeffding"][0], 0)
    elif most_changed is not None and factors in ({"n": 1.0, "o": -1.0}, {"n": -1.0, "o": 1.0}):
        bennett = bennett_rows(most_changed, clause.tolerance, tail)
        exact = exact_difference_rows(most_changed, clause.tolerance, tail, clause.threshold)
        found["Bennett"] = (bennett, int(np.ceil(bennett * most_changed)))
        found["exact"] = (exact, int(np.ceil(exact * most_changed)))
    return found


def rows_needed(clause: Clause, seen: Seen, tail: float, most_changed: float | None) -> tuple[int | None, int | None]:
    """Return the rows for the tolerance of a clause, and how many of them need a label; None where it gives no tolerance."""
    if clause.tolerance is None:
        return None, None
    if seen.changed is not None and abs(clause.threshold) < 1:
        changed = min(1.0, max(most_changed or 0.0, seen.changed, abs(clause.threshold), clause.tolerance))
        rows = exact_difference_rows(changed, clause.tolerance, tail, clause.threshold)
        return rows, int(np.ceil(rows * changed))
    if seen.is_share and 0 <= clause.threshold <= 1:
        rows = exact_share_rows(clause.threshold, clause.tolerance, tail)
        return rows, 0 if clause.models == {"d"} else rows
    rows = observed_rows(seen.rows, seen.half_width, clause.tolerance)
    return rows, rows
