"""Tests that rows of a slice are worse than the rest, where rows of one group (a patient, a household) are not independent.

    T = sum_i (m_i - mean m)(l_i - mean l),   u_g = the part of T from rows of group g
    t = T / sqrt(G / (G - 1) sum u_g²),       df = (sum u_g²)² / sum u_g^4 - 1

m says how far each row belongs. The degrees of freedom are those of as many equal groups: a slice that rests on a few groups has few,
however many rows these have. Along with it go tests that take rows for independent: the larger p-value counts.

Source: Liang, Zeger (1986), Longitudinal data analysis using generalized linear models, Biometrika 73; Cameron, Miller (2015), A
practitioner's guide to cluster-robust inference, Journal of Human Resources 50, VI (few groups); Kish (1965), Survey Sampling, 11.7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.numerics.distributions import student_tail

__all__ = ["GroupedGap", "grouped_gap", "grouped_stratified_tail"]


class GroupedGap(NamedTuple):
    """Mean loss inside minus outside, its standard error with rows of a group taken together, and degrees of freedom; 0 df: not known."""

    gap: float
    standard_error: float
    df: float

    @property
    def p_value(self) -> float:
        """The chance of such a gap, or a greater one, where there is none; 1 where nothing is known."""
        if not self.df > 0:
            return 1.0
        return float(student_tail(self.gap / self.standard_error, self.df))


def grouped_gap(losses: Vector, membership: Vector | Mask, groups: IntVector) -> GroupedGap:
    """Return by how much rows that belong are worse than the others, as groups say; O(n).

    Parameters
    ----------
    losses : (n,) how bad each row is
    membership : (n,) in [0, 1], how far each row belongs
    groups : (n,) code of the group of each row, >= 0

    Returns
    -------
    GroupedGap
        For memberships between 0 and 1 the gap is the slope of losses on membership.

    Randomness
    ----------
    None.

    Source
    ------
    Liang, Zeger (1986), Biometrika 73; Cameron, Miller (2015), Journal of Human Resources 50.

    Examples
    --------
    >>> losses, inside = np.repeat([1.0, 0.0, 0.0, 0.0], 25), np.repeat([True, False, False, False], 25)
    >>> grouped_gap(losses, inside, np.repeat([0, 1, 2, 3], 25)).p_value > 0.05  # one bad group is one bad group
    True
    >>> grouped_gap(losses, inside, np.arange(100)).p_value < 1e-6
    True
    """
    if len(losses) < 2:
        return GroupedGap(0.0, 0.0, 0.0)
    belongs = membership - np.mean(membership)
    within = float(np.square(belongs).sum())
    if not within > 1e-12:
        return GroupedGap(0.0, 0.0, 0.0)
    return _gap(belongs * (losses - losses.mean()), groups, within)


def grouped_stratified_tail(losses: Vector, inside: Mask, strata: IntVector, groups: IntVector) -> float:
    """Return the p-value of rows being no worse than others of their stratum, as groups say; (n,), (n,), (n,), (n,). O(n)."""
    sizes = np.maximum(np.bincount(strata), 1)
    belongs = inside - (np.bincount(strata, inside) / sizes)[strata]
    within = float(np.square(belongs).sum())
    if not within > 1e-12:
        return 1.0
    return _gap(belongs * (losses - (np.bincount(strata, losses) / sizes)[strata]), groups, within).p_value


def _gap(parts: Vector, groups: IntVector, within: float) -> GroupedGap:
    """Return the gap of which each row gives a part (n,); `within` is the sum of squares of the memberships."""
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], parts)
    squares = float(np.square(sums).sum())
    if len(sums) < 2 or not squares > 0:
        return GroupedGap(float(sums.sum()) / within, 0.0, 0.0)
    df = squares**2 / float((sums**4).sum()) - 1
    error = np.sqrt(len(sums) / (len(sums) - 1) * squares)
    return GroupedGap(float(sums.sum()) / within, float(error) / within, df if df > 1e-9 else 0.0)
