"""Sums of linearised measures, each of some of the rows of one split, and measures with their sign turned.

Source: Deville (1999), Variance estimation for complex statistics and estimators: linearization and residual techniques, Survey
Methodology 25, section 4 (functions of linearised statistics).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics.linearised import Linearised

if TYPE_CHECKING:
    from tilth.core.arrays import Mask

__all__ = ["combined", "moved"]


def combined(parts: Sequence[tuple[float, Linearised, Mask]]) -> Linearised:
    """Return a weighted sum of measures, each of some of the rows of one split, as a measure of the split.

    T = sum_j c_j T_j; a row's number is T + sum_j c_j (n / n_j) ψ_ij, where ψ_ij = 0 outside the n_j rows of measure j.

    Parameters
    ----------
    parts : factor, measure and (n,) mask of the rows that it was measured on; one or more

    Returns
    -------
    Linearised
        The sum on all n rows.

    Raises
    ------
    InputError
        Where a mask has not as many rows as its measure.

    Source
    ------
    Deville (1999), Survey Methodology 25, section 4 (functions of linearised statistics).

    Examples
    --------
    >>> half = Linearised(rows=np.array([1.0, 0.0]), bounds=(0.0, 1.0))
    >>> whole = np.array([True, True])
    >>> combined([(1.0, half, whole), (-1.0, half, whole)]).value
    0.0
    """
    n = len(parts[0][2])
    rows, value, low, high, hidden = np.zeros(n), 0.0, 0.0, 0.0, 0.0
    for factor, measured, mask in parts:
        if int(mask.sum()) != len(measured):
            raise InputError(f"{int(mask.sum())} rows were named, {len(measured)} measured")
        rows[mask] += factor * n / len(measured) * measured.influence
        value += factor * measured.value
        ends = sorted(factor * float(end) for end in measured.bounds)
        low, high = low + ends[0], high + ends[1]
        share = abs(factor) * (ends[1] - ends[0] if np.isfinite(ends).all() else 1.0)
        hidden += share * measured.reach / (measured.informative or len(measured))
    width = high - low if np.isfinite([low, high]).all() else sum(abs(factor) for factor, _, _ in parts)
    return Linearised(rows=rows + value, bounds=(low, high), informative=width / hidden if hidden else float(n))


def moved(measured: Linearised, sign: float) -> Linearised:
    """Return a measure times +1 or -1: errors are kept below 0, so that higher is better, and written without the sign."""
    low, high = sorted(sign * float(end) for end in measured.bounds)
    return Linearised(
        rows=sign * measured.rows,
        strata=measured.strata,
        bounds=(low, high),
        informative=measured.informative,
        reach=measured.reach,
        bias=measured.bias,
    )
