"""The gain of an edit from trusted answers on the rows where the models before and after disagree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.numerics.intervals import mean_interval

if TYPE_CHECKING:
    from tilth.core.arrays import Mask
    from tilth.numerics._means import Bounds

__all__ = ["About", "gain_from_answers"]

About = Literal["fresh_rows", "dev_rows"]
"""What a gain speaks of: rows to come from the same source, or the dev rows themselves."""


def gain_from_answers(
    before_correct: Mask,
    after_correct: Mask,
    n_disagree: int,
    n_dev: int,
    level: float = 0.95,
    *,
    about: About = "fresh_rows",
) -> Estimate:
    """Return the gain in accuracy from trusted answers on rows where the two models disagree.

    The answered rows are drawn at random, without replacement, from the n_disagree dev rows on which
    predictions differ. gain = (n_disagree / n_dev) mean(after - before): unbiased whatever the noise in the
    other labels, which are not used. With share f = n_disagree / n_dev, a answers of mean m and variance s^2,
    the variance is

        dev_rows      f^2 s^2 / a (1 - a / n_disagree)
        fresh_rows    f^2 s^2 / a + m^2 f (1 - f) / n_dev

    the second for rows to come, whose sampling brings back what the finite population had taken away and adds
    that f itself is an estimate. Student's t with a - 1 degrees of freedom; the differences lie in [-1, 1],
    hence `mean_interval`'s care with few answers. The p-value is `beats_nothing` of the answered rows.

    Parameters
    ----------
    before_correct, after_correct : (answers,) whether each model agrees with the answer
    n_disagree : number of dev rows on which the models disagree, >= answers
    n_dev : number of dev rows, >= n_disagree
    level : coverage, in (0, 1); default 0.95
    about : "fresh_rows" (what a verdict promises) or "dev_rows"

    Returns
    -------
    Estimate
        Gain in [-1, 1] with its interval.

    Raises
    ------
    InputError
        Without answers although the models disagree, or with counts that do not fit.

    Source
    ------
    Cochran (1977), Sampling Techniques, 3rd ed., 2.6 (finite population), 2.13 (subpopulations).

    Examples
    --------
    >>> gain_from_answers(np.array([False, False, True]), np.array([True, True, False]), 30, 300).value
    0.03333333333333333
    """
    before, after = np.asarray(before_correct, dtype=bool), np.asarray(after_correct, dtype=bool)
    _check_answers(before, after, n_disagree, n_dev)
    if n_disagree == 0:
        spread = 0.0 if about == "dev_rows" else 1.0
        return _narrowed(mean_interval(np.zeros(n_dev), level, bounds=(-1.0, 1.0)), 1.0, spread, (-1.0, 1.0))
    answers, share = before.size, n_disagree / n_dev
    differences = after.astype(np.float64) - before
    asked = mean_interval(differences, level, bounds=(-1.0, 1.0))
    if about == "dev_rows":
        unknown, known = n_disagree - answers, float(differences.sum())
        limits = ((known - unknown) / n_dev, (known + unknown) / n_dev)
        return _narrowed(asked, share, 1 - answers / n_disagree, limits)
    # The variance over share^2 s^2 / a, the part that `asked` holds.
    factor = 1 + asked.value**2 * (1 - share) / (share * n_dev * asked.standard_error**2)
    return _narrowed(asked, share, factor, (-1.0, 1.0))


def _narrowed(asked: Estimate, share: float, factor: float, limits: Bounds) -> Estimate:
    """Scale an interval by the share of rows that it speaks of, its variance by the factor, within limits."""
    value, stretch = share * asked.value, share * math.sqrt(factor)
    low = value - stretch * (asked.value - asked.low)
    high = value + stretch * (asked.high - asked.value)
    return Estimate(
        value=value,
        low=min(value, max(limits[0], low)),
        high=max(value, min(limits[1], high)),
        standard_error=stretch * asked.standard_error,
    )


def _check_answers(before: Mask, after: Mask, n_disagree: int, n_dev: int) -> None:
    if before.shape != after.shape or before.ndim != 1:
        raise InputError("both models must be judged by the same answers")
    if not (before.size <= n_disagree <= n_dev and n_dev >= 1):
        counts = f"{before.size} answers, {n_disagree} rows of disagreement, {n_dev} dev rows"
        raise InputError("counts of rows do not fit", where=counts)
    if before.size == 0 and n_disagree > 0:
        raise InputError("no answer, no gain", next_step="answer some rows where the models disagree")
