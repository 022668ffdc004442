"""The mean of rows that come in strata and in groups, and how far it may be from the truth.

One computation serves intervals and tests: what each independent unit (a row, or a whole group) adds to the mean, and how
much the mean would move without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tilth.core.arrays import IntVector, Vector
from tilth.core.errors import InputError

__all__ = ["Bounds", "UnitMean", "finite", "unit_mean"]

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
    seen : variance of the mean as far as the rows show it
    unseen : variance of strata that have a single unit; infinite where nothing limits it
    df : degrees of freedom of `seen`; 0 when there is one unit in all
    """

    mean: float
    raw: Vector
    centred: Vector
    share: Vector
    seen: float
    unseen: float
    df: float

    @property
    def variance(self) -> float:
        """Variance of the mean."""
        return self.seen + self.unseen

    @property
    def skewness(self) -> float:
        """Skewness of the mean, estimated from the units' jackknife scores; 0 where they do not vary."""
        return float((self.centred**3).sum() / self.seen**1.5) if self.seen > 0 else 0.0

    def caution(self, bounds: Bounds) -> float:
        """Variance of two more units, one at each end of the support, of average weight (Bonett & Price 2012)."""
        reach = (self.mean - bounds[0]) ** 2 + (bounds[1] - self.mean) ** 2
        return reach * float((self.share**2).mean())


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
    """Return the stratified mean with its variance; see `intervals.weighted_mean_interval` for the formulas."""
    values = finite(values, "values")
    if values.ndim != 1 or values.size == 0:
        raise InputError("a mean needs at least one row", next_step="give rows, or leave the comparison out")
    stratum, weight = _strata(strata, weights, len(values))
    cells = _cells(values, _codes(groups, len(values)), stratum)
    n_strata, n_units = len(weight), int(cells.unit.max()) + 1
    rows = np.bincount(cells.stratum, cells.rows, n_strata)
    means = np.bincount(cells.stratum, cells.total, n_strata) / rows
    units = np.bincount(cells.stratum, minlength=n_strata)
    score = _jackknife(cells, rows, means, units, weight)
    by_stratum = np.bincount(cells.stratum, score**2, n_strata)
    centred = np.bincount(cells.unit, score, n_units)
    share = np.bincount(cells.unit, (weight / rows)[cells.stratum] * cells.rows, n_units)
    return UnitMean(
        mean=float(weight @ means),
        raw=np.bincount(cells.unit, (weight / rows)[cells.stratum] * cells.total, n_units),
        centred=centred,
        share=share,
        seen=float(centred @ centred),
        unseen=_unseen(by_stratum, units, weight, bounds),
        df=_degrees(by_stratum, units, share if groups is not None else None),
    )


def finite(values: Vector, name: str) -> Vector:
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
        total=np.bincount(cell, values),
        rows=np.bincount(cell).astype(np.float64),
        unit=(present // n_strata).astype(np.intp),
        stratum=(present % n_strata).astype(np.intp),
    )


def _jackknife(cells: _Cells, rows: Vector, means: Vector, units: IntVector, weight: Vector) -> Vector:
    """Scale what the mean would lose without each cell: W sqrt((G-1)/G) (t - m mean) / (n - m); 0 for a lone unit."""
    k = cells.stratum
    rest = np.where(units[k] > 1, rows[k] - cells.rows, np.inf)
    return np.asarray(
        weight[k] * np.sqrt(1 - 1 / units[k]) * (cells.total - cells.rows * means[k]) / rest
    )


def _unseen(by_stratum: Vector, units: IntVector, weight: Vector, bounds: Bounds | None) -> float:
    """Bound the variance of strata with one unit: by the support if known, else by the widest other stratum."""
    lone = float((weight[units == 1] ** 2).sum())
    if lone == 0:
        return 0.0
    if bounds is not None:
        return lone * (bounds[1] - bounds[0]) ** 2 / 4
    others = (units > 1) & (weight > 0)
    if not others.any():
        return float("inf")
    return lone * float((by_stratum[others] * units[others] / weight[others] ** 2).max())


def _degrees(by_stratum: Vector, units: IntVector, share: Vector | None) -> float:
    """Combine the strata's degrees of freedom (Satterthwaite 1946); unequal groups count for fewer."""
    many = units > 1
    if not many.any():
        return 0.0
    parts, df = by_stratum[many], (units[many] - 1).astype(np.float64)
    total = float(parts.sum())
    combined = total**2 / float((parts**2 / df).sum()) if total > 0 else float(df.sum())
    return combined if share is None else min(combined, _effective_groups(share))


def _effective_groups(share: Vector) -> float:
    """Degrees of freedom of the group jackknife when rows of one group are alike; G - 1 for equal groups.

    The variance is a quadratic form sum_g b_g (a_g - sum_h w_h a_h)^2 in independent group effects a, with w the shares of
    weight and b = w^2 / (1 - w)^2; df = tr(M)^2 / tr(M^2) (Satterthwaite 1946), in O(G).
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
