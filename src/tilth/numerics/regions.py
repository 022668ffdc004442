"""Regions of a space of features: few directions, and centres that are found the same way whatever the order of the rows.

    principal axes   the directions along which rows differ most
    regions          the part that holds most spread is cut in two along its own first direction, until there are enough;
                     then each row goes to its nearest centre and centres to the mean of their rows, ten times

No draw is made, and rows in another order give the same regions but for rounding.

Source: Pearson (1901), On lines and planes of closest fit to systems of points in space, Philosophical Magazine 2 (axes); Su, Dy
(2007), In search of deterministic methods for initializing K-means and Gaussian mixture clustering, Intelligent Data Analysis 11
(cutting along the first direction); Lloyd (1982), Least squares quantization in PCM, IEEE Trans. Information Theory 28.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector, evenly

__all__ = ["Axes", "centres_of", "principal_axes", "region_of"]

ROUNDS = 10
MOST_ROWS = 20_000
"""Rows that axes are found from; beyond it, evenly spaced ones."""
BLOCK = 4_096
CELLS = 1 << 22
"""Products of rows and centres that are held at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Axes:
    """A mean and directions.

    Parameters
    ----------
    middle : (d,)
    directions : (d, e), columns of length 1, perpendicular
    """

    middle: Vector
    directions: Matrix

    def of(self, features: FloatMatrix32) -> Matrix:
        """Return the coordinates of rows along the axes, in float64: a row's do not hang on its company; (n, d) -> (n, e)."""
        points = np.empty((len(features), self.directions.shape[1]))
        for first in range(0, len(features), BLOCK):
            part = slice(first, first + BLOCK)
            points[part] = (features[part] - self.middle) @ self.directions
        return points


def principal_axes(features: FloatMatrix32, most: int) -> Axes:
    """Return the directions of most spread, at most `most`; those without spread are left out. O(n d^2 + d^3).

    Parameters
    ----------
    features : FloatMatrix32, (n, d)
        At least one row.
    most : int
        Directions at most, >= 1.

    Returns
    -------
    Axes
        At least one direction.

    Randomness
    ----------
    None.

    Source
    ------
    Pearson (1901), Philosophical Magazine 2.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], dtype=np.float32)
    >>> np.abs(principal_axes(line, 5).of(line)).round(3).tolist()
    [[1.414], [0.0], [1.414]]
    """
    if len(features) > MOST_ROWS:
        features = features[evenly(len(features), MOST_ROWS)]
    middle = features.mean(axis=0, dtype=np.float64)
    shifted = features - middle.astype(np.float32)
    spread, directions = np.linalg.eigh((shifted.T @ shifted).astype(np.float64))
    kept = max(1, min(most, int((spread > 1e-6 * max(float(spread[-1]), 1e-12)).sum())))
    return Axes(middle=middle, directions=directions[:, ::-1][:, :kept])


def centres_of(points: Matrix, number: int) -> Matrix:
    """Return the centres of regions, at most `number`: fewer where rows are alike. O(n e (number + rounds)).

    Parameters
    ----------
    points : Matrix, (n, e)
        At least one row; e is small.
    number : int
        Regions wanted, >= 1.

    Returns
    -------
    Matrix, (c, e)
        In the order in which they were found.

    Randomness
    ----------
    None.

    Source
    ------
    Su, Dy (2007), Intelligent Data Analysis 11; Lloyd (1982), IEEE Trans. Information Theory 28.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> np.sort(centres_of(line, 2).ravel()).tolist()
    [0.5, 10.5]
    """
    parts = [np.arange(len(points))]
    while len(parts) < number:
        spread = [float(np.square(points[part] - points[part].mean(axis=0)).sum()) for part in parts]
        widest = int(np.argmax(spread))
        if spread[widest] <= 1e-9:
            break
        parts += _halves(points, parts.pop(widest))
    centres = np.stack([points[part].mean(axis=0) for part in parts])
    for _ in range(ROUNDS):
        region = region_of(points, centres)
        sizes = np.bincount(region, minlength=len(centres))
        sums = np.stack([np.bincount(region, column, len(centres)) for column in points.T], axis=1)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    return centres


def region_of(points: Matrix, centres: Matrix) -> IntVector:
    """Return the nearest centre of each row, the first of equally near ones; (n, e), (c, e) -> (n,). O(n e c)."""
    near = np.empty(len(points), dtype=np.intp)
    lengths = np.square(centres).sum(axis=1)
    step = max(1, CELLS // len(centres))
    for first in range(0, len(points), step):
        part = points[first : first + step]
        near[first : first + step] = (lengths - 2.0 * (part @ centres.T)).argmin(axis=1)
    return near


def _halves(points: Matrix, part: IntVector) -> list[IntVector]:
    """Cut a part at its mean along its direction of most spread."""
    shifted = points[part] - points[part].mean(axis=0)
    _, directions = np.linalg.eigh(shifted.T @ shifted)
    is_above = shifted @ directions[:, -1] > 0
    return [part[~is_above], part[is_above]]
