"""How far predicted numbers and probabilities are from the truth, over a whole split: RMSE, R² and calibration error, linearised.

Source: Deville (1999), Variance estimation for complex statistics and estimators, Survey Methodology 25; Guo, Pleiss, Sun,
Weinberger (2017), On calibration of modern neural networks, ICML (calibration error).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics.linearised import Linearised

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = ["calibration_gap", "minus_rmse", "r_squared"]


def minus_rmse(numbers: Vector, predicted: Vector) -> Linearised:
    """Return minus the root of the mean squared error; O(n).

    row_i = −(R + (e_i² − R²) / (2 R))

    Parameters
    ----------
    numbers, predicted : (n,) in the label's unit

    Returns
    -------
    Linearised
        At most 0, in the label's unit.

    Raises
    ------
    InputError
        Without rows, or with numbers that are not finite.

    Source
    ------
    Deville (1999), Survey Methodology 25 (a function of a mean).

    Examples
    --------
    >>> minus_rmse(np.array([0.0, 0.0]), np.array([3.0, 3.0])).value
    -3.0
    """
    squares = _squares(numbers, predicted)
    root = float(np.sqrt(squares.mean()))
    rows = root + (squares - root**2) / (2 * root) if root > 0 else squares
    return Linearised(rows=-rows, bounds=(-np.inf, 0.0), informative=float(len(squares)))


def r_squared(numbers: Vector, predicted: Vector) -> Linearised:
    """Return the share of the variance that is explained, 1 − SSE / SST; O(n).

    row_i = R² − (e_i² − (1 − R²)(y_i − ȳ)²) / var(y)

    Parameters
    ----------
    numbers, predicted : (n,) in the label's unit

    Returns
    -------
    Linearised
        At most 1; below 0 the mean of the labels would have been the better prediction.

    Raises
    ------
    NotApplicable
        Where all labels are one number.
    InputError
        Without rows, or with numbers that are not finite.

    Source
    ------
    Deville (1999), Survey Methodology 25 (ratios).

    Examples
    --------
    >>> r_squared(np.array([0.0, 2.0]), np.array([1.0, 1.0])).value
    0.0
    """
    squares = _squares(numbers, predicted)
    spread = (numbers - numbers.mean()) ** 2
    variance = float(spread.mean())
    if variance <= 0:
        raise NotApplicable("R² is not defined: all labels are one number")
    value = 1 - float(squares.mean()) / variance
    rows = value - (squares - (1 - value) * spread) / variance
    return Linearised(rows=rows, bounds=(-np.inf, 1.0), informative=float(len(squares)))


def calibration_gap(labels: IntVector, predicted: Matrix, bins: int = 15) -> Linearised:
    """Return minus the expected calibration error: how far confidence is from accuracy, in bins of equal width; O(n k).

    ECE = sum over bins of |sum of (confidence − correct)| / n. Its sign within a bin is taken as known; where a bin's gap is within
    two standard errors it may be chance alone, so that the interval reaches nearer to 0 by the mean size of such chance,
    sqrt(2/π) standard errors.

    Parameters
    ----------
    labels : (n,) class numbers
    predicted : (n, k) probabilities
    bins : number of bins of [0, 1]; default 15, as is usual

    Returns
    -------
    Linearised
        In [-1, 0].

    Raises
    ------
    InputError
        Without rows or bins.

    Source
    ------
    Guo et al. (2017), ICML, section 2.

    Examples
    --------
    >>> calibration_gap(np.array([0, 1]), np.array([[0.8, 0.2], [0.8, 0.2]])).value
    -0.30000000000000004
    """
    if bins < 1 or not len(labels):
        raise InputError("calibration error needs rows, and one bin or more")
    confidence = predicted.max(axis=1)
    gap = confidence - (predicted.argmax(axis=1) == labels)
    at = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    total, squares = np.bincount(at, gap, bins), np.bincount(at, gap**2, bins)
    count = np.maximum(np.bincount(at, minlength=bins), 1)
    noise = np.sqrt(np.maximum(squares - total**2 / count, 0.0))
    chance = float(noise[np.abs(total) <= 2 * noise].sum()) * float(np.sqrt(2 / np.pi)) / len(labels)
    rows = -np.sign(total)[at] * gap
    return Linearised(rows=rows, bounds=(-1.0, 0.0), informative=float(len(labels)), bias=chance)


def _squares(numbers: Vector, predicted: Vector) -> Vector:
    if not len(numbers):
        raise InputError("a score needs at least one row", next_step="give rows, or leave the comparison out")
    errors = np.asarray(numbers - predicted, dtype=np.float64)
    if not np.isfinite(errors).all():
        raise InputError("labels and predictions must be finite numbers")
    return errors**2
