"""Selected groups: what a p-value and an interval are worth after a search through many groups.

q-values after a search: of r groups that are reported, each with the share w of the error that was set aside for it before
(the shares of all groups that were searched add up to 1), q_(i) = min over j >= i of H_K p_(j) / (w_(j) j), with K the most
groups that may be reported and H_K = 1 + 1/2 + ... + 1/K.

Why not Benjamini-Hochberg: it asks for positive dependence, and groups that exclude one another are negatively dependent. Why
not Benjamini-Yekutieli over all groups: it pays H of all that were searched (12 for 100,000) where H_K does (2.9 for ten), and
its guarantee is for all that it rejects, not for those that are left when overlapping ones were merged. Why not permutations:
they cost a search each, and control the error only where no group is bad at all. The reshaped procedure holds under any
dependence, and for any choice among the groups, however it looked at the data.

Source: Blanchard, Roquain (2008), Two simple sufficient conditions for FDR control, Electronic Journal of Statistics 2
(self-consistent choices, reshaping, prior weights). Benjamini, Yekutieli (2005), False discovery rate-adjusted multiple
confidence intervals, JASA 100.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.errors import InputError

__all__ = ["harmonic", "selected_q", "selected_tail"]


def harmonic(most: int) -> float:
    """Return 1 + 1/2 + … + 1/most: what a choice of up to so many groups pays for any dependence."""
    return float((1 / np.arange(1, most + 1)).sum())


def selected_q(p_values: Vector, shares: Vector, most: int) -> Vector:
    """Return the q-values of groups that were chosen from a search, however they were.

    Reporting those with q <= a makes the expected share of false ones among them at most a.

    Parameters
    ----------
    p_values : (r,) of the groups that are reported
    shares : (r,) of the error, set aside for each before the scores were seen; all groups that were searched have at most 1
    most : how many might have been reported, >= r

    Returns
    -------
    Vector, (r,)
        In [0, 1], in the order given.

    Raises
    ------
    InputError
        More groups than might have been reported.

    Randomness
    ----------
    None.

    Source
    ------
    Blanchard, Roquain (2008), Two simple sufficient conditions for FDR control, EJS 2.

    Examples
    --------
    >>> selected_q(np.array([0.001, 0.01]), np.array([0.1, 0.1]), 2).round(4).tolist()
    [0.015, 0.075]
    """
    if len(p_values) > most:
        raise InputError(f"{len(p_values)} groups are more than the {most} that might be reported")
    if not len(p_values):
        return np.zeros(0)
    costs = np.asarray(p_values, dtype=np.float64) / shares
    order = np.argsort(costs, kind="stable")
    ranked = costs[order] * harmonic(most) / np.arange(1, len(costs) + 1)
    q = np.empty(len(costs))
    q[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return np.minimum(q, 1.0)


def selected_tail(level: float, chosen: int, share: float, most: int) -> float:
    """Return the chance by which the interval of a chosen group may err, so that the expected share of wrong ones is 1 - level.

    (1 - level) share r / H_K for r groups: what the q-value of the last of them pays.

    Examples
    --------
    >>> round(selected_tail(0.95, 1, 1.0, 1), 3)
    0.05
    """
    return (1 - level) * share * chosen / harmonic(most)
