"""Tails and critical values of the normal, Student's and the binomial law.

The same functions as those of SciPy's distributions, without the whole of `scipy.stats`, whose import costs more
than most commands.

Source: Abramowitz, Stegun (1964), Handbook of Mathematical Functions, 26.2, 26.5.24, 26.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tilth.core.arrays import Vector

__all__ = ["binomial_tail", "normal_point", "normal_tail", "student_point", "student_tail"]


def normal_tail(x: ArrayLike) -> Vector:
    """Return P(Z > x) of the standard normal law, elementwise; any shape, in [0, 1]. O(1) each.

    Parameters
    ----------
    x : any shape

    Returns
    -------
    the same shape

    Examples
    --------
    >>> float(normal_tail(0.0))
    0.5
    """
    return np.asarray(special.ndtr(-_real(x)))


def normal_point(tail: ArrayLike) -> Vector:
    """Return the x with P(Z > x) = tail, elementwise; not a number for a tail outside [0, 1]. O(1) each.

    Parameters
    ----------
    tail : any shape, in [0, 1]

    Returns
    -------
    the same shape

    Examples
    --------
    >>> round(float(normal_point(0.025)), 2)
    1.96
    """
    return np.asarray(0.0 - special.ndtri(_real(tail)))


def student_tail(x: ArrayLike, df: ArrayLike) -> Vector:
    """Return P(T > x) of Student's law, elementwise; not a number where df <= 0. O(1) each.

    Parameters
    ----------
    x : any shape
    df : degrees of freedom, > 0, broadcast against x; need not be whole, may be infinite

    Returns
    -------
    the broadcast shape

    Examples
    --------
    >>> round(float(student_tail(1.0, 1.0)), 12)
    0.25
    """
    return np.asarray(special.stdtr(_real(df), -_real(x)))


def student_point(tail: ArrayLike, df: ArrayLike) -> Vector:
    """Return the x with P(T > x) = tail, elementwise; not a number where df <= 0 or for a tail outside [0, 1]. O(1) each.

    Parameters
    ----------
    tail : any shape, in [0, 1]
    df : degrees of freedom, > 0, broadcast against tail

    Returns
    -------
    the broadcast shape

    Examples
    --------
    >>> round(float(student_point(0.25, 1.0)), 12)
    1.0
    """
    tails, freedom = _real(tail), _real(df)
    at_zero = np.where(freedom > 0, np.inf, np.nan)  # where SciPy's inverse has the wrong sign
    return np.asarray(np.where(tails == 0, at_zero, 0.0 - special.stdtrit(freedom, tails)))


def binomial_tail(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Vector:
    """Return P(X > k) of X ~ Binomial(n, p), elementwise: the incomplete beta integral I_p(k + 1, n - k). O(1) each.

    Parameters
    ----------
    k : whole numbers, any shape; 1 below 0, 0 from n on
    n : trials, >= 0, broadcast against k
    p : chance of one, in [0, 1]

    Returns
    -------
    the broadcast shape

    Examples
    --------
    >>> float(binomial_tail(4, 5, 0.5)), float(binomial_tail(-1, 0, 0.5))
    (0.03125, 1.0)
    """
    above, below = _real(k) + 1, _real(n) - _real(k)
    inside = special.betainc(np.maximum(above, 0), np.maximum(below, 0), _real(p))
    return np.asarray(np.where(above <= 0, 1.0, np.where(below <= 0, 0.0, inside)))


def _real(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
