"""Measures of a whole split, linearised: one number per row whose mean is the measure, so that intervals and tests apply.

A measure T of the rows (AUROC, F1, R² …) is no mean of row scores, but near the truth it behaves as one:

    row_i = T + ψ_i,   ψ_i = its empirical influence function at row i,   sum_i ψ_i = 0

Rows that come in groups (patients, duplicates) are summed within their group first, as for any mean; two models on the same rows
are compared by the difference of their numbers, row by row.

Source: Deville (1999), Variance estimation for complex statistics and estimators: linearization and residual techniques, Survey
Methodology 25; Wolter (2007), Introduction to Variance Estimation, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.core.estimate import WIDEST, Estimate
from tilth.numerics._ends import critical_point, score_ends
from tilth.numerics._means import Bounds, UnitMean, finite, unit_mean
from tilth.numerics._one_sided import skew_t
from tilth.numerics.intervals import mean_interval, weighted_mean_interval, wilson

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Vector

__all__ = ["UNBOUNDED", "Linearised", "difference", "interval_of", "no_better"]

UNBOUNDED: Bounds = (-np.inf, np.inf)
"""A measure without known limits."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Linearised:
    """A measure on the rows of a split; higher is better.

    Parameters
    ----------
    rows : (n,) numbers whose mean (with strata: the mean of the strata's means) is the measure
    strata : (n,) codes, or None; the label for balanced accuracy
    bounds : least and greatest value that the measure can take; infinite where there is no limit
    informative : number of rows that the measure hangs on, such as those of the rare class; None for all
    reach : how far apart the measure can be on two such rows, as a share of the bounds' distance; 1 where all or nothing
    bias : how far chance alone may have moved the value down at most: the interval reaches up by so much more
    """

    rows: Vector
    strata: IntVector | None = None
    bounds: Bounds = UNBOUNDED
    informative: float | None = None
    reach: float = 1.0
    bias: float = 0.0

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def value(self) -> float:
        """The measure."""
        return float(unit_mean(self.rows, strata=self.strata).mean)

    @property
    def is_bounded(self) -> bool:
        """Whether both limits are known."""
        return bool(np.isfinite(self.bounds).all())

    @property
    def is_plain(self) -> bool:
        """Whether its numbers are scores of rows within the bounds, and not linearised."""
        return self.informative is None and not self.bias

    @property
    def influence(self) -> Vector:
        """(n,) numbers that sum to 0 and whose squares, over n², sum to the measure's variance where rows are independent."""
        parts = unit_mean(self.rows, strata=self.strata)
        return np.asarray(parts.centred * len(self.rows))


def interval_of(measured: Linearised, groups: IntVector | None = None, level: float = 0.95) -> Estimate:
    """Return a measure with its interval.

    Row scores of 0 and 1 get Wilson's interval; other plain scores that of `mean_interval` (`weighted_mean_interval` with
    strata). What is linearised gets the same interval, where the m rows that it hangs on stand in for n: two more of them, one at
    each bound, are added to the variance, and what m rows may hide of it, so that a rare class without errors is not taken for
    certainty; between known bounds the ends are those of a score interval. O(n log n).

    Parameters
    ----------
    measured : the measure
    groups : (n,) group code per row, or None when rows are independent
    level : coverage, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        The measure with its interval, inside the bounds.

    Raises
    ------
    InputError
        Without rows, or with groups of another length.

    Source
    ------
    MacKinnon, Nielsen, Webb (2023), Journal of Applied Econometrics 38 (groups); Wilson (1927), JASA 22; Bonett, Price
    (2012), Journal of Educational and Behavioral Statistics 37 (the two rows).

    Examples
    --------
    >>> interval_of(Linearised(rows=np.array([1.0, 0.0, 1.0, 1.0]), bounds=(0.0, 1.0))).value
    0.75
    """
    if measured.is_plain:
        return _plain_interval(measured, groups, level)
    parts, rows = _parts(measured, groups)
    variance = parts.variance + _allowance(measured, rows, parts.mean)
    error = min(float(np.sqrt(variance)), WIDEST)
    low, high = _ends(measured, parts.mean, variance, rows, critical_point(level, _degrees(parts, rows)))
    high = min(high + measured.bias, float(measured.bounds[1]))
    return Estimate(
        value=parts.mean, low=min(parts.mean, low), high=max(parts.mean, min(high, WIDEST)), standard_error=error
    )


def difference(
    new: Linearised, old: Linearised, groups: IntVector | None = None, level: float = 0.95
) -> tuple[Linearised, Estimate]:
    """Return by how much one model's measure exceeds another's on the same rows, and its interval.

    Parameters
    ----------
    new, old : one measure of two models on the same (n,) rows
    groups : (n,) group code per row, or None when rows are independent
    level : coverage, in (0, 1); default 0.95

    Returns
    -------
    Linearised, Estimate
        The difference as a measure of its own, and its value with the interval; above 0 the new model is better.

    Raises
    ------
    InputError
        When the models were measured on different rows.

    Source
    ------
    DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44 (two AUROC on the same rows are one case).

    Examples
    --------
    >>> first, second = (Linearised(rows=np.array(r), bounds=(0.0, 1.0)) for r in ([1.0, 1.0, 0.0], [1.0, 0.0, 0.0]))
    >>> round(difference(first, second)[1].value, 4)
    0.3333
    """
    if len(new) != len(old) or not _same(new.strata, old.strata):
        raise InputError("both models must be measured on the same rows", where=f"{len(new)} and {len(old)} rows")
    width = float(new.bounds[1] - new.bounds[0]) if new.is_bounded else np.inf
    gains = new.rows - old.rows
    noise = 1e-12 * (np.abs(new.rows) + np.abs(old.rows))
    gains = np.where(np.abs(gains) <= noise, 0.0, gains)
    hangs_on = _fewer(new.informative, old.informative)
    made = Linearised(
        rows=gains,
        strata=new.strata,
        bounds=(-width, width),
        informative=hangs_on,
        reach=_reach(gains, hangs_on, width),
    )
    return made, interval_of(made, groups, level)


def no_better(gain: Linearised, groups: IntVector | None = None, least: float = 0.0) -> float:
    """Return the one-sided p-value of "the measure is no more than `least`"; small says that it is more.

    `skew_t`: Student's t, guarded against losses that the sample may have missed. O(n log n).

    Parameters
    ----------
    gain : the measure, or a difference of two; (n,) rows
    groups : (n,) group code per row, or None when rows are independent
    least : what must be exceeded

    Returns
    -------
    float
        p-value in [0, 1].

    Raises
    ------
    InputError
        Without rows, or with groups of another length.

    Source
    ------
    See `skew_t`.

    Examples
    --------
    >>> sure = Linearised(rows=np.r_[np.ones(60), np.zeros(40)], bounds=(0.0, 1.0))
    >>> no_better(sure, least=0.3) < 0.001
    True
    """
    parts, rows = _parts(gain, groups)
    bounds = gain.bounds if gain.is_bounded else None
    if gain.is_plain:
        bounded = unit_mean(gain.rows, groups=groups, strata=gain.strata, bounds=bounds)
        return skew_t(bounded, least, bounds)
    added = _allowance(gain, rows, parts.mean)
    guarded = UnitMean(
        mean=parts.mean,
        raw=parts.raw,
        centred=parts.centred,
        share=parts.share,
        heaviest=1 / max(rows, 1.0),
        seen=parts.seen,
        unseen=parts.unseen + added,
        df=_degrees(parts, rows),
    )
    return skew_t(guarded, least, bounds)


def _plain_interval(measured: Linearised, groups: IntVector | None, level: float) -> Estimate:
    rows = finite(measured.rows, "scores")
    is_share = measured.bounds == (0.0, 1.0) and bool(np.isin(rows, (0.0, 1.0)).all())
    if is_share and groups is None and measured.strata is None and len(rows):
        return wilson(float(rows.sum()), len(rows), level)
    bounds = measured.bounds if measured.is_bounded else None
    if measured.strata is not None:
        return weighted_mean_interval(rows, measured.strata, level, groups=groups, bounds=bounds)
    found = mean_interval(rows, level, groups, bounds=bounds)
    low, high = (max(found.low, measured.bounds[0]), min(found.high, measured.bounds[1]))
    return Estimate(value=found.value, low=float(low), high=float(high), standard_error=found.standard_error)


def _parts(measured: Linearised, groups: IntVector | None) -> tuple[UnitMean, float]:
    """Return the measure taken apart into units, and how many of these it hangs on."""
    parts = unit_mean(measured.rows, groups=groups, strata=measured.strata)
    units = len(parts.raw)
    hangs_on = len(measured) if measured.informative is None else min(measured.informative, len(measured))
    return parts, hangs_on * units / len(measured)


def _allowance(measured: Linearised, rows: float, value: float) -> float:
    """Return the variance of two more of the rows that it hangs on, and what so few of them may hide."""
    if not measured.is_bounded:
        return 0.0
    low, high = measured.bounds
    m = max(rows, 1.0)
    two_more = (value - low) ** 2 + (high - value) ** 2
    hidden = (2.0 if m == 1 else m**-1.5) * (high - low) ** 2 / 4
    return float(two_more / m**2 + hidden / m) * measured.reach**2


def _degrees(parts: UnitMean, rows: float) -> float:
    return min(parts.df, max(rows - 1, 1.0))


def _ends(measured: Linearised, value: float, variance: float, rows: float, critical: float) -> tuple[float, float]:
    low, high = (float(end) for end in measured.bounds)
    if not np.isfinite(variance):
        return max(low, -WIDEST), min(high, WIDEST)
    if not measured.is_bounded or not variance:
        half = min(critical * float(np.sqrt(variance)), WIDEST / 2)
        return max(low, value - half), min(high, value + half)
    drawn = value + ((low + high) / 2 - value) * 2 / (rows + 2)
    return score_ends(value, (drawn - low) * (high - drawn) / variance, critical, (low, high))


def _reach(gains: Vector, informative: float | None, width: float) -> float:
    """Return how far a row can move a difference, as a share of its bounds: as far as rows do, and all the way for those that do not.

    A row on which two models do not differ at all tells nothing of how far apart they may be on another one.
    """
    if informative is None or not np.isfinite(width) or not len(gains):
        return 1.0
    moves = np.abs(gains - gains.mean()) * informative / len(gains) / width
    still = 1 - min(1.0, float(np.count_nonzero(gains)) / informative)
    return min(1.0, still + (1 - still) * float(moves.max()))


def _same(first: IntVector | None, second: IntVector | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(first, second))


def _fewer(first: float | None, second: float | None) -> float | None:
    both = [one for one in (first, second) if one is not None]
    return min(both) if both else None
