"""Factors of a symmetric matrix that is s_i s_j off its diagonal, but for some cells: by triplets and their median.

    s_i^2 = c_ij c_il / c_jl          for all j, l: the median over pairs of partners is not moved by a minority of odd cells

Source: Fu, Chen, Sala, Hooper, Fatahalian, Ré (2020), Fast and three-rious, ICML, section 3.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import Mask, Matrix, Vector

__all__ = ["rank_one_squares"]

PARTNERS = 30


def rank_one_squares(products: Matrix, usable: Mask, shared: Matrix, *, least: float) -> Vector:
    """Return the square of each factor by the median over its triplets. O(450 m) beside sorting.

    Parameters
    ----------
    products : Matrix, (m, m)
        c_ij; the diagonal is not read.
    usable : Mask, (m, m)
        Which cells may be used; symmetric.
    shared : Matrix, (m, m)
        On how much each cell stands: a row's thirty partners are those with most.
    least : float
        Absolute size below which a product does not divide.

    Returns
    -------
    Vector, (m,)
        May be negative where the cells contradict one another; nan without a triplet.

    Randomness
    ----------
    None.

    Source
    ------
    Fu et al. (2020), ICML, section 3.

    Examples
    --------
    >>> true = np.array([0.8, 0.6, 0.4])
    >>> rank_one_squares(np.outer(true, true), np.ones((3, 3), dtype=bool), np.ones((3, 3)), least=0.01).round(2).tolist()
    [0.64, 0.36, 0.16]
    """
    m = len(products)
    found = np.full(m, np.nan)
    for i in range(m):
        partners = np.flatnonzero(usable[i] & (np.arange(m) != i))
        partners = partners[np.argsort(-shared[i, partners], kind="stable")[:PARTNERS]]
        one, other = np.triu_indices(len(partners), 1)
        j, h = partners[one], partners[other]
        between = products[j, h]
        good = usable[j, h] & (np.abs(between) > least)
        if good.any():
            found[i] = np.median(products[i, j[good]] * products[i, h[good]] / between[good])
    return found
