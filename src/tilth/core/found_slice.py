"""FoundSlice: a slice that a slicer discovered, with what it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.estimate import Estimate
from tilth.core.slice import Slice

__all__ = ["FoundSlice"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundSlice:
    """One discovery on the rows of a view.

    Parameters
    ----------
    slice : the group's rule
    membership : (n,) in [0, 1], how far each row of the view belongs; 0 or 1 for a predicate
    score : mean score of its rows, weighted by membership, with its interval; higher is better, as the metric has it
    overall : mean score of all rows of the view
    p_value : of the score of its rows being no worse than that of the others
    q_value : the share of false discoveries among all that are at most as doubtful, over everything that was searched
    """

    slice: Slice
    membership: Vector = field(repr=False)
    score: Estimate
    overall: float
    p_value: float
    q_value: float

    @property
    def n_rows(self) -> int:
        """Rows that belong to it at least half."""
        return int(np.count_nonzero(self.membership >= 0.5))
