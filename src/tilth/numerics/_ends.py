"""Ends of intervals: critical values, and the score interval of a mean between known bounds.

Source: Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics.distributions import normal_point, student_point

if TYPE_CHECKING:
    from tilth.numerics._means import Bounds, UnitMean

__all__ = ["critical_point", "effective_rows", "normal_critical", "score_ends"]


def effective_rows(parts: UnitMean, variance: float, bounds: Bounds) -> float:
    """Return the number of independent rows at the bounds whose mean would have this variance."""
    middle, units = sum(bounds) / 2, len(parts.raw)
    drawn = parts.mean + (middle - parts.mean) * 2 / (units + 2)
    return (drawn - bounds[0]) * (bounds[1] - drawn) / variance


def score_ends(value: float, n: float, critical: float, bounds: Bounds) -> tuple[float, float]:
    """Solve (theta - value)^2 = critical^2 (theta - low)(high - theta) / n for both theta."""
    width = bounds[1] - bounds[0]
    share, c = (value - bounds[0]) / width, critical**2 / n
    centre = (share + c / 2) / (1 + c)
    half = np.sqrt(c * (share * (1 - share) + c / 4)) / (1 + c)
    low = min(share, max(0.0, centre - half))
    high = max(share, min(1.0, centre + half))
    return min(value, float(bounds[0] + width * low)), max(value, float(bounds[0] + width * high))


def critical_point(level: float, df: float) -> float:
    """Two-sided critical value of Student's t; of the normal law where nothing was estimated."""
    normal = normal_critical(level)
    return float(student_point((1 - level) / 2, df)) if df > 0 else normal


def normal_critical(level: float) -> float:
    """Two-sided critical value of the normal law; raises InputError for a level that is none."""
    if not 0 < level < 1:
        raise InputError(f"a level lies between 0 and 1, not at {level}")
    return float(normal_point((1 - level) / 2))
