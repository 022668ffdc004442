"""The F1 of a class as a mean over rows, so that two models' F1 are compared row by row.

    F1 = 2 Σ tp_i / Σ (y_i + s_i),   row_i = F1 + (2 tp_i − F1 · (y_i + s_i)) / mean(y + s)

y_i: the row is of the class, s_i: the model says so, tp_i: both. The rows' mean is F1 itself, and their spread that of its linearization.

Source: Wolter (2007), Introduction to Variance Estimation, section 6.5 (ratios by linearization).
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import Mask, Vector

__all__ = ["f1_rows"]


def f1_rows(of_class: Mask, said: Mask) -> Vector:
    """Return a number per row whose mean is the class's F1, and whose standard error is about that of F1.

    Parameters
    ----------
    of_class : (n,) rows that are of the class
    said : (n,) rows that the model says are

    Returns
    -------
    (n,); ones where no row is of the class and none is said to be: nothing can be wrong

    Randomness: none.

    Source: Wolter (2007), section 6.5.

    Examples
    --------
    >>> rows = f1_rows(np.array([True, True, False, False]), np.array([True, False, True, False]))
    >>> float(rows.mean())
    0.5
    """
    either = of_class.astype(np.float64) + said
    if not either.any():
        return np.ones(len(of_class))
    right = (of_class & said).astype(np.float64)
    f1 = 2 * right.sum() / either.sum()
    return np.asarray(f1 + (2 * right - f1 * either) / either.mean())
