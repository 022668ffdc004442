"""Estimate: a number with its interval; no number is shown without one."""

from __future__ import annotations

import sys
from dataclasses import dataclass

__all__ = ["WIDEST", "Estimate"]

WIDEST = sys.float_info.max
"""Stands for "no limit known", so that an estimate stays finite and can be written as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A value, the ends of its interval and its standard error, in the unit of the metric.

    Parameters
    ----------
    value : the point estimate
    low, high : ends of the interval, low <= value <= high; -WIDEST or WIDEST where the rows say nothing
    standard_error : >= 0; WIDEST where the rows say nothing
    """

    value: float
    low: float
    high: float
    standard_error: float

    def __post_init__(self) -> None:
        assert -WIDEST <= self.low <= self.value <= self.high <= WIDEST, "an interval holds its value"
        assert 0 <= self.standard_error <= WIDEST, "a standard error is finite and not negative"

    @property
    def is_known(self) -> bool:
        """Whether both ends are limits that the rows gave, or that the metric has."""
        return self.low > -WIDEST and self.high < WIDEST

    def as_list(self) -> list[float]:
        """Return [low, high], as JSON shows an interval."""
        return [self.low, self.high]
