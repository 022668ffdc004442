"""Threshold: rows whose number lies above or below a bound.

    vote = says   where  above < x < below  (a bound that is not given does not bind); else it abstains

Source: Ratner, Bach, Ehrenberg, Fries, Wu, Ré (2017), Snorkel, VLDB 11, section 2.1 (labeling functions over metadata).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Vector
from tilth.core.errors import ConfigError
from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.voting import said_where

__all__ = ["Threshold", "between"]


def between(numbers: Vector, above: float | None, below: float | None) -> Mask:
    """Return which numbers lie strictly between two bounds, (n,) -> (n,); NaN never does, None does not bind.

    Examples
    --------
    >>> between(np.array([1.0, 2.0, np.nan]), 1.5, None).tolist()
    [False, True, False]
    """
    inside = ~np.isnan(numbers)
    if above is not None:
        inside &= numbers > above
    if below is not None:
        inside &= numbers < below
    return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Vote for a class where a number lies above one bound, below another, or between both.

    Parameters
    ----------
    column : a column of numbers
    says : the class
    above, below : bounds, which themselves are outside; one may be missing
    """

    column: str
    says: str
    above: float | None = None
    below: float | None = None

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse bounds that leave all numbers, or none."""
        if self.above is None and self.below is None:
            raise ConfigError("a threshold labeler needs a bound", next_step="write above: or below: with a number")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise ConfigError(
                f"no number is above {self.above:g} and below {self.below:g}", next_step="turn them round"
            )

    @classmethod
    def example(cls) -> Threshold:
        """Return a labeler that finds large numbers."""
        return cls(column="number", says="spam", above=1.5)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def vote(self, batch: Batch) -> Said:
        """Return the class where the number lies within the bounds, null elsewhere."""
        cells = batch.column(self.column)
        if not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_null(cells.type)):
            raise ConfigError(
                f"column {self.column!r} holds {cells.type}, not numbers",
                next_step="name a column of type number; a sql labeler may CAST",
            )
        numbers = np.asarray(cells.cast(pa.float64()).fill_null(np.nan))
        return said_where(between(numbers, self.above, self.below), self.says)
