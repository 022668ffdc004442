"""The mean of rows that come in strata and in groups, and how far it may be from the truth.

One computation serves intervals and tests: what each independent unit (a row, or a whole group) adds to the
mean, and how much the mean would move without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Matrix, Vector

__all__ = ["Bounds", "Moments", "UnitMean", "finite", "unit_mean"]

Bounds = tuple[float, float]
"""The least and the greatest value that one row can take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitMean:
    """A stratified mean, taken apart into its independent units.

    Parameters
    ----------
    mean : sum over strata of weight times stratum mean
    raw : (units,) what each unit adds to the mean; they sum to it
    centred : (units,) scaled jackknife scores; their squares sum to `seen`
    share : (units,) share of the weight that each unit carries; they sum to 1
    heaviest : greatest weight of a single row
    seen : variance of the mean as far as the rows show it
    unseen : allowance for the variance that strata of few units may hide; infinite where nothing limits it
    df : degrees of freedom of `seen`; 0 when there is one unit in all
    """

    mean: float
    raw: Vector
    centred: Vector
    share: Vector
    heaviest: float
    seen: float
    unseen: float
    df: float

    @property
    def variance(self) -> float:
        """Variance of the mean."""
        return self.seen + self.unseen

    def caution(self, bounds: Bounds) -> float:
        """Return the variance of two more units of average weight, one at each end of the support."""
        reach = (self.mean - bounds[0]) ** 2 + (bounds[1] - self.mean) ** 2
        return reach * float((self.share**2).mean())

    def with_one_more_loss(self, least: float, bounds: Bounds | None) -> Moments:
        """Return the moments of (mean - least) as if one more unit had lost.

        The unseen loss is as great as the greatest contribution seen, and at least what the bounds let the
        heaviest row lose: the correction of Fay & Feuer (1997) for sums of few, unequally weighted events.
        """
        loss = float(np.abs(self.raw - least * self.share).max())
        if bounds is not None:
            loss = max(loss, self.heaviest * (least - bounds[0]))
        third = float((self.centred**3).sum()) - loss**3
        return Moments(mean=self.mean - least - loss, variance=self.variance + loss**2, third=third)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """Mean, variance and third central moment of an estimate."""

    mean: float
    variance: float
    third: float

    @property
    def statistic(self) -> float:
        """Mean over standard error; -inf where there is neither a gain nor any spread."""
        return self.mean / float(np.sqrt(self.variance)) if self.variance > 0 else float("-inf")

    def plus(self, variance: float) -> Moments:
        """Return the moments with one more, symmetric and independent, source of variance."""
        return Moments(mean=self.mean, variance=self.variance + variance, third=self.third)

    @property
    def skew_corrected(self) -> float:
        """The smaller of the statistic and Hall's transformation of it."""
        statistic = self.statistic
        if not self.variance > 0 or not np.isfinite(self.variance):
            return statistic
        skewness = self.third / self.variance**1.5
        if skewness >= -1e-9:
            return statistic
        hall = ((1 + skewness * statistic / 3) ** 3 - 1) / skewness + skewness / 6
        return float(min(statistic, hall))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cells:
    """Sums over the rows of one unit in one stratum."""

    total: Vector
    rows: Vector
    unit: IntVector
    stratum: IntVector


def unit_mean(
    values: Vector,
    *,
    groups: IntVector | None = None,
    strata: IntVector | None = None,
    weights: Vector | None = None,
    bounds: Bounds | None = None,
) -> UnitMean:
    """Return the stratified mean with its variance; formulas in `intervals.weighted_mean_interval`."""
    values = finite(values, "values")
    if values.ndim != 1 or values.size == 0:
        raise InputError("a mean needs at least one row", next_step="give rows, or leave the comparison out")
    stratum, weight = _strata(strata, weights, len(values))
    cells = _cells(values, _codes(groups, len(values)), stratum)
    n_strata, n_units = len(weight), int(cells.unit.max()) + 1
    rows = _sums(cells.stratum, cells.rows, n_strata)
    means = _sums(cells.stratum, cells.total, n_strata) / rows
    units = np.bincount(cells.stratum, minlength=n_strata)
    score = _jackknife(cells, rows, means, units, weight)
    by_stratum = _sums(cells.stratum, score**2, n_strata)
    unseen = _unseen(by_stratum, units, weight, bounds)
    centred = _sums(cells.unit, score, n_units)
    row_weight = weight / rows
    share = _sums(cells.unit, row_weight[cells.stratum] * cells.rows, n_units)
    dispersed = by_stratum if bounds is None else by_stratum + unseen
    return UnitMean(
        mean=float(weight @ means),
        raw=_sums(cells.unit, row_weight[cells.stratum] * cells.total, n_units),
        centred=centred,
        share=share,
        heaviest=float(row_weight.max()),
        seen=float(centred @ centred),
        unseen=float(unseen.sum()),
        df=_degrees(dispersed, units, None if groups is None else share),
    )


def _sums(index: IntVector, values: Vector, n: int) -> Vector:
    """Sum the values of each index; (m,), (m,) -> (n,)."""
    return np.asarray(np.bincount(index, values, n), dtype=np.float64)


def finite(values: Vector | Mask | Matrix, name: str) -> Vector:
    """Return the values as float64; refuse what is not a number."""
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.argwhere(~np.isfinite(numbers))[0][-1])
        raise InputError(
            f"{name} must be finite numbers", where=f"row {row}", next_step="leave out rows without a score"
        )
    return numbers


def _codes(groups: IntVector | None, n: int) -> IntVector:
    """Number the groups from 0; without groups every row is a unit of its own."""
    if groups is None:
        return np.arange(n, dtype=np.intp)
    if np.shape(groups) != (n,):
        raise InputError("one group per row is needed", where=f"{np.shape(groups)} for {n} rows")
    return np.unique(groups, return_inverse=True)[1].astype(np.intp)


def _strata(strata: IntVector | None, weights: Vector | None, n: int) -> tuple[IntVector, Vector]:
    """Number the strata that have rows, and share the weight among them."""
    if strata is None:
        return np.zeros(n, dtype=np.intp), np.ones(1)
    if np.shape(strata) != (n,):
        raise InputError("one stratum per row is needed", where=f"{np.shape(strata)} for {n} rows")
    present, codes = np.unique(strata, return_inverse=True)
    weight = np.ones(len(present)) if weights is None else np.asarray(weights, dtype=np.float64)[present]
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        raise InputError("weights of strata must be finite, not negative, and not all zero")
    return codes.astype(np.intp), weight / weight.sum()


def _cells(values: Vector, unit: IntVector, stratum: IntVector) -> _Cells:
    """Sum the rows of each unit in each stratum; the cost is O(n log n) whatever the number of strata."""
    n_strata = int(stratum.max()) + 1
    present, cell = np.unique(unit * n_strata + stratum, return_inverse=True)
    return _Cells(
        total=_sums(cell, values, len(present)),
        rows=np.bincount(cell).astype(np.float64),
        unit=(present // n_strata).astype(np.intp),
        stratum=(present % n_strata).astype(np.intp),
    )


def _jackknife(cells: _Cells, rows: Vector, means: Vector, units: IntVector, weight: Vector) -> Vector:
    """Return W sqrt((G - 1) / G) (t - m mean) / (n - m) per cell: how the mean would move without it."""
    k = cells.stratum
    rest = np.where(units[k] > 1, rows[k] - cells.rows, np.inf)
    return np.asarray(weight[k] * np.sqrt(1 - 1 / units[k]) * (cells.total - cells.rows * means[k]) / rest)


def _unseen(by_stratum: Vector, units: IntVector, weight: Vector, bounds: Bounds | None) -> Vector:
    """Allow for what a stratum of G units may hide: its greatest variance times G^-1.5, twice it when G = 1.

    Power and factor were chosen by simulating the coverage of rare classes, which a plain stratified variance
    misses when all their rows agree; they are felt below about ten units. Without bounds only lone units get
    an allowance: the variance of a unit in the widest other stratum.
    """
    if bounds is not None:
        hidden = np.where(units == 1, 2.0, units.astype(np.float64) ** -1.5) * (bounds[1] - bounds[0]) ** 2 / 4
        return np.asarray(weight**2 * hidden / units)
    lone, others = (units == 1) & (weight > 0), (units > 1) & (weight > 0)
    if not lone.any():
        return np.zeros(len(units))
    widest = (by_stratum[others] * units[others] / weight[others] ** 2).max() if others.any() else np.inf
    return np.where(lone, weight**2 * widest, 0.0)


def _degrees(by_stratum: Vector, units: IntVector, share: Vector | None) -> float:
    """Combine the strata's degrees of freedom (Satterthwaite 1946); unequal groups count for fewer."""
    many = units > 1
    if not many.any():
        return 0.0
    parts, df = by_stratum[many], (units[many] - 1).astype(np.float64)
    total, squares = float(parts.sum()), float((parts**2 / df).sum())
    if total > 0 and not squares > 0:  # numbers so small that their squares are 0
        parts, total = parts / parts.max(), total / float(parts.max())
        squares = float((parts**2 / df).sum())
    combined = total**2 / squares if total > 0 else float(df.sum())
    return combined if share is None else min(combined, _effective_groups(share))


def _effective_groups(share: Vector) -> float:
    """Degrees of freedom of the group jackknife when rows of one group are alike; G - 1 for equal groups.

    The variance is a quadratic form sum_g b_g (a_g - sum_h w_h a_h)^2 in independent group effects a, with w
    the shares of weight and b = w^2 / (1 - w)^2; df = tr(M)^2 / tr(M^2) (Satterthwaite 1946), in O(G).
    """
    w = share[(share > 0) & (share < 1)]
    if w.size == 0:
        return 1.0
    b, s = w**2 / (1 - w) ** 2, float(w @ w)
    b0, b1, b2 = float(b.sum()), float(b @ w), float(b @ w**2)
    own = b * (1 - 2 * w + s)
    crossed = s * s * b0**2 + 2 * b0 * b2 + 2 * b1**2 - 4 * s * b0 * b1
    crossed -= float((b**2 * (s - 2 * w) ** 2).sum())
    return max(1.0, float(own.sum()) ** 2 / (float((own**2).sum()) + crossed))
