"""Intervals: how far a share, a mean or a mean over classes may be from the truth.

Every interval is two-sided. Rows may come in groups (patients, duplicates) that are alike inside, and in
strata (classes) whose means are averaged with fixed weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.core.estimate import WIDEST, Estimate
from tilth.numerics._ends import critical_point, effective_rows, normal_critical, score_ends
from tilth.numerics._means import unit_mean

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.numerics._means import Bounds, UnitMean

__all__ = ["balanced_accuracy_interval", "mean_interval", "weighted_mean_interval", "wilson"]


def wilson(successes: float, n: float, level: float = 0.95) -> Estimate:
    """Return a share of rows with its score interval.

    The ends solve (theta - p)^2 = z^2 theta (1 - theta) / n: honest for few rows, and never outside [0, 1].
    The standard error is the interval's half-width over z, hence never zero. O(1).

    Parameters
    ----------
    successes : number of rows that count, 0 <= successes <= n
    n : number of rows, > 0 (an effective number need not be whole)
    level : coverage, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        Share in [0, 1] with its interval.

    Raises
    ------
    InputError
        With no row, or with more successes than rows.

    Source
    ------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(8, 10).as_list()]
    [0.4902, 0.9433]
    """
    if not (n > 0 and 0 <= successes <= n):
        raise InputError(f"{successes} of {n} rows is not a share", next_step="give at least one row")
    value, z = successes / n, normal_critical(level)
    low, high = score_ends(value, n, z, (0.0, 1.0))
    return Estimate(value=value, low=low, high=high, standard_error=(high - low) / (2 * z))


def mean_interval(
    values: Vector,
    level: float = 0.95,
    groups: IntVector | None = None,
    *,
    bounds: Bounds | None = None,
) -> Estimate:
    """Return the mean over rows with its interval; `weighted_mean_interval` with one stratum.

    Without groups and bounds this is Student's interval. With one row (or one group) the spread is unknown:
    the interval is `bounds` where they are given, else [-WIDEST, WIDEST] (`Estimate.is_known` is then False).

    Parameters
    ----------
    values : (n,) one number per row: a score, or the difference of two scores
    level : coverage, in (0, 1); default 0.95
    groups : (n,) group code per row, or None when rows are independent
    bounds : least and greatest value that one row can take, or None; (-1, 1) for differences of correctness

    Returns
    -------
    Estimate
        Mean with its interval, in the unit of the values.

    Raises
    ------
    InputError
        Without rows, with a value that is not finite or outside the bounds, or with groups of another length.

    Source
    ------
    Student (1908), The probable error of a mean, Biometrika 6. Groups: see `weighted_mean_interval`.

    Examples
    --------
    >>> [round(end, 3) for end in mean_interval(np.array([1.0, 2.0, 3.0])).as_list()]
    [-0.484, 4.484]
    """
    return _interval(unit_mean(_inside(values, bounds), groups=groups, bounds=bounds), level, bounds)


def weighted_mean_interval(
    values: Vector,
    strata: IntVector,
    level: float = 0.95,
    *,
    weights: Vector | None = None,
    groups: IntVector | None = None,
    bounds: Bounds | None = None,
) -> Estimate:
    """Return the weighted mean of the strata's means with its interval.

    mean = sum_k W_k mean_k. Each unit g (a row, or a group) has the jackknife score u_g = sum_k W_k sqrt((G_k
    - 1) / G_k) (t_gk - m_gk mean_k) / (n_k - m_gk), where t and m are the sum and the number of its rows in
    stratum k, and G_k counts the units there; the variance is sum_g u_g^2. Without groups that is Cochran's
    sum_k W_k^2 s_k^2 / n_k; with equal groups in one stratum it is the CR1 variance; with unequal groups it
    does not err downwards, as CR1 does. Degrees of freedom: Satterthwaite's over strata, and for groups those
    of independent group effects weighted by size (G - 1 when sizes are equal).

    A stratum of few units may show less spread than it has: known bounds add W_k^2 G_k^-2.5 times the
    greatest variance that they allow, and twice that variance for a single unit (without bounds a single unit
    gets the variance of one in the widest other stratum). Known bounds also add the variance of two more
    units, one at each bound, so that rows without any spread are not taken for certainty, and bend the
    interval so that it stays inside. O(n log n).

    Parameters
    ----------
    values : (n,) one number per row; pass paired differences to compare two models
    strata : (n,) stratum code per row, >= 0: the label for balanced accuracy
    level : coverage, in (0, 1); default 0.95
    weights : (k,) weight of stratum code 0 … k-1, or None for equal weights; strata without rows are left out
    groups : (n,) group code per row, or None when rows are independent; a group may cross strata
    bounds : least and greatest value that one row can take, or None

    Returns
    -------
    Estimate
        Weighted mean with its interval, in the unit of the values.

    Raises
    ------
    InputError
        Without rows, with a value that is not finite or outside the bounds, with codes of another length, or
        bad weights.

    Source
    ------
    Cochran (1977), Sampling Techniques, 3rd ed., 5.4 (strata). MacKinnon, Nielsen, Webb (2023), Fast and
    reliable jackknife and bootstrap methods for cluster-robust inference, Journal of Applied Econometrics 38
    (CV3). Satterthwaite (1946), An approximate distribution of estimates of variance components, Biometrics
    2. Bonett, Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions based
    on paired data, Journal of Educational and Behavioral Statistics 37 (the two units). Korn, Graubard
    (1998), Confidence intervals for proportions with small expected number of positive counts estimated from
    survey data, Survey Methodology 24 (an interval for counts at the effective number of rows).

    Examples
    --------
    >>> weighted_mean_interval(np.array([1.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1])).value
    0.75
    """
    parts = unit_mean(_inside(values, bounds), groups=groups, strata=strata, weights=weights, bounds=bounds)
    return _interval(parts, level, bounds)


def balanced_accuracy_interval(
    correct: Mask,
    labels: IntVector,
    n_classes: int,
    level: float = 0.95,
    groups: IntVector | None = None,
) -> Estimate:
    """Return the mean of the per-class recalls with its interval.

    The stratified mean of correctness with equal weight per class, inside [0, 1]; a class with one row counts
    with twice the greatest variance that a share can have, 1/4, and one with few rows with a part of it.
    Classes without a row are left out. For the difference of two models pass paired differences and labels to
    `weighted_mean_interval`. O(n log n).

    Parameters
    ----------
    correct : (n,) whether each row is predicted right
    labels : (n,) class numbers in [0, n_classes)
    n_classes : number of classes
    level : coverage, in (0, 1); default 0.95
    groups : (n,) group code per row, or None when rows are independent

    Returns
    -------
    Estimate
        Balanced accuracy in [0, 1] with its interval.

    Raises
    ------
    InputError
        Without rows, or with a label that is no class.

    Source
    ------
    Brodersen et al. (2010), The balanced accuracy and its posterior distribution, ICPR; variance as in
    `weighted_mean_interval`.

    Examples
    --------
    >>> balanced_accuracy_interval(np.array([True, True, False]), np.array([0, 0, 1]), 2).value
    0.5
    """
    if np.size(labels) and not (np.min(labels) >= 0 and np.max(labels) < n_classes):
        raise InputError(f"labels must be class numbers from 0 to {n_classes - 1}")
    return weighted_mean_interval(
        np.asarray(correct, dtype=np.float64), labels, level, groups=groups, bounds=(0.0, 1.0)
    )


def _inside(values: Vector, bounds: Bounds | None) -> Vector:
    """Refuse values that the bounds deny."""
    if bounds is not None and np.size(values) and (np.min(values) < bounds[0] or np.max(values) > bounds[1]):
        raise InputError(f"a value lies outside its bounds {list(bounds)}", next_step="give wider bounds, or none")
    return values


def _interval(parts: UnitMean, level: float, bounds: Bounds | None) -> Estimate:
    """Return the interval of a stratified mean."""
    caution = 0.0 if bounds is None else parts.caution(bounds)
    variance = parts.variance + caution
    error = min(float(np.sqrt(variance)), WIDEST)
    if len(parts.raw) == 1 or not np.isfinite(variance):
        low, high = (-WIDEST, WIDEST) if bounds is None else bounds
        return Estimate(value=parts.mean, low=low, high=high, standard_error=error)
    critical = critical_point(level, parts.df)
    if bounds is None:
        half = min(critical * error, WIDEST / 2)
        return Estimate(value=parts.mean, low=parts.mean - half, high=parts.mean + half, standard_error=error)
    low, high = score_ends(parts.mean, effective_rows(parts, variance, bounds), critical, bounds)
    return Estimate(value=parts.mean, low=low, high=high, standard_error=error)
