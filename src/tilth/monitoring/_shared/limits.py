"""What no estimator without labels can know, and how many labels would know better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tilth.core.errors import UsageError
from tilth.core.estimate import Estimate
from tilth.numerics.distributions import normal_point

if TYPE_CHECKING:
    from tilth.core.arrays import Vector

__all__ = ["WHAT_IT_CANNOT_KNOW", "labels_for"]

WHAT_IT_CANNOT_KNOW = (
    "It cannot know whether the same features still mean the same label: if the rule behind the labels has changed, "
    "the rows look as before and the estimate stays as it was. Only labels show that."
)


def labels_for(half_width: float, row_variance: float, level: float = 0.95) -> int:
    """Return how many labels, of rows drawn at random, give an interval of this half-width.

        n = z² v / h²

    Parameters
    ----------
    half_width : h > 0, in the unit of the score
    row_variance : v >= 0, of one row's score: p (1 - p) for the share p of right rows
    level : coverage, in (0, 1); default 0.95

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    UsageError
        A half-width that is not positive, a variance that is negative.

    Randomness
    ----------
    None.

    Source
    ------
    Cochran (1977), Sampling Techniques, 3rd ed., 4.4.

    Examples
    --------
    >>> labels_for(0.05, 0.8 * 0.2)
    246
    """
    if not half_width > 0 or not row_variance >= 0:
        raise UsageError(
            f"no number of labels belongs to a half-width of {half_width} and a variance of {row_variance}"
        )
    z = float(normal_point((1 - level) / 2))
    return max(1, math.ceil(z * z * row_variance / half_width**2))


def labels_worth_as_much(estimate: Estimate, scores: Vector) -> int:
    """Return how many labels drawn at random give an interval as narrow as an estimate's; scores (n,) of labelled rows.

    Of a share, the value within the interval that needs most labels counts: the one nearest to one half.
    """
    from tilth.monitoring._shared.sampling import bounds_of, row_variance

    half = (estimate.high - estimate.low) / 2
    bounds = bounds_of(scores)
    doubtful = min(max(0.5, estimate.low), estimate.high)
    variance = doubtful * (1 - doubtful) if bounds == (0.0, 1.0) else row_variance(scores)
    return labels_for(max(half, 1e-6), max(variance, 0.0))
