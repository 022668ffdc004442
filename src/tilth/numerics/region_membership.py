"""How far rows belong to a region of embeddings, and the region that tells some rows from all others.

    membership = p(component | (x - centre) · directions)
    contrast:   b = (S + r tr(S)/p I)^-1 (m_1 - m),   t = x · b,   membership = logistic in t

m_1 is the mean of the rows to be told, m and S are mean and covariance of all. Along t two Gaussians of one variance stand for the
region and for all else, so that membership rises steadily in one direction: deep inside is more inside.

Source: Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7; Friedman (1989), Regularized
discriminant analysis, JASA 84.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from tilth.core.errors import InputError
from tilth.core.region import Region

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, Matrix, Vector
    from tilth.numerics.regions import Axes

__all__ = ["Spread", "contrast_region", "half_space", "log_components", "region_membership"]

BLOCK = 4_096
RIDGE = 0.3
"""Share of the mean variance that is added to every direction: with few rows the covariance is not known better."""
LEAST_SHARE, MOST_SHARE = 1e-4, 0.9


class Spread:
    """Mean and regularised covariance of points, factored once for all contrasts on them; (n, p)."""

    def __init__(self, points: Matrix, ridge: float = RIDGE) -> None:
        self.mean = points.mean(axis=0)
        shifted = points - self.mean
        covariance = shifted.T @ shifted / len(points)
        level = max(float(np.trace(covariance)) / len(covariance), 1e-12)
        self.covariance = covariance + ridge * level * np.eye(len(covariance))

    def direction(self, target: Vector) -> Vector:
        """Return where a mean (p,) lies, every direction measured by its spread; (p,)."""
        return np.asarray(np.linalg.solve(self.covariance, target - self.mean))


def log_components(points: Matrix, means: Matrix, variances: Matrix, log_weights: Vector) -> Matrix:
    """Return log weight and log density of each component, but for a constant; (n, p), (m, p), (m, p), (m,) -> (n, m)."""
    scaled = means / variances
    squares = np.square(points) @ (1 / variances).T - 2 * points @ scaled.T + (means * scaled).sum(axis=1)
    return np.asarray(log_weights - 0.5 * (squares + np.log(variances).sum(axis=1)))


def region_membership(region: Region, features: FloatMatrix32) -> Vector:
    """Return how far rows belong to a region, whatever their labels. O(n d p).

    Parameters
    ----------
    region : Region
        On features of d numbers.
    features : FloatMatrix32, (n, d)
        Made by the encoders that the region was found with; missing numbers are not allowed.

    Returns
    -------
    Vector, (n,)
        In [0, 1], row order of the input; a row's does not hang on its company.

    Raises
    ------
    InputError
        The features have another width.

    Randomness
    ----------
    None.

    Source
    ------
    McLachlan, Peel (2000), Finite Mixture Models, 1.4 (posterior probabilities of components).

    Examples
    --------
    >>> two = Region(centre=np.zeros(1), directions=np.eye(1), means=np.array([[-1.0], [1.0]]), variances=np.ones((2, 1)),
    ...              log_weights=np.log([0.5, 0.5]), index=1)
    >>> region_membership(two, np.array([[0.0], [3.0]], dtype=np.float32)).round(3).tolist()
    [0.5, 0.998]
    """
    if features.ndim != 2 or features.shape[1] != len(region.centre):
        raise InputError(
            f"features of shape {features.shape} are not those of a region of {len(region.centre)} numbers",
            next_step="encode the rows with the encoders that the region was found with",
        )
    belongs = np.empty(len(features))
    for first in range(0, len(features), BLOCK):
        points = (features[first : first + BLOCK] - region.centre) @ region.directions
        joint = log_components(points, region.means, region.variances, region.log_weights)
        belongs[first : first + BLOCK] = np.exp(joint[:, region.index] - logsumexp(joint, axis=1))
    return np.clip(belongs, 0.0, 1.0)


def contrast_region(axes: Axes, points: Matrix, told: Vector, inside: Vector, spread: Spread | None = None) -> Region:
    """Return the region along the one direction that tells some rows from all. O(n p + p^3).

    Parameters
    ----------
    axes : Axes
        What the points were made with.
    points : Matrix, (n, p)
    told : Vector, (n,)
        Weights >= 0 of the rows whose mean gives the direction, not all 0: those that fail.
    inside : Vector, (n,)
        How far rows belong, in [0, 1], not all 0: gives size and place of the region along the direction.
    spread : Spread or None
        Of these points; computed when not given.

    Returns
    -------
    Region
        Two components; the first is the region.

    Randomness
    ----------
    None.

    Source
    ------
    Friedman (1989), JASA 84, equation 18.

    Examples
    --------
    >>> from tilth.numerics.regions import principal_axes
    >>> rows = np.array([[0.0], [1.0], [10.0], [11.0]], dtype=np.float32)
    >>> axes = principal_axes(rows, 1)
    >>> last = np.array([0.0, 0.0, 1.0, 1.0])
    >>> region_membership(contrast_region(axes, axes.of(rows), last, last), rows).round(2).tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    spread = spread or Spread(points)
    direction = spread.direction(told @ points / told.sum())
    length = float(np.linalg.norm(direction))
    direction = direction / length if length > 1e-12 else np.eye(len(direction))[0]
    along = points @ direction
    total, left = inside.sum(), max(float((1 - inside).sum()), 1e-9)
    here, there = float(inside @ along / total), float((1 - inside) @ along / left)
    variance = (inside @ np.square(along - here) + (1 - inside) @ np.square(along - there)) / len(along)
    share = float(np.clip(total / len(along), LEAST_SHARE, MOST_SHARE))
    return _along(axes, direction, (here, there), float(variance), share)


def half_space(axes: Axes, direction: Vector, edge: float, width: float) -> Region:
    """Return the region beyond an edge along a direction (p,): membership 1/2 at the edge, 0.73 a width beyond it."""
    width = max(width, 1e-9)
    return _along(axes, direction, (edge + width / 2, edge - width / 2), width**2, 0.5)


def _along(axes: Axes, direction: Vector, means: tuple[float, float], variance: float, share: float) -> Region:
    floor = max(1e-12, 1e-6 * (means[0] - means[1]) ** 2)
    return Region(
        centre=axes.middle,
        directions=(axes.directions @ direction)[:, None],
        means=np.array(means)[:, None],
        variances=np.full((2, 1), max(variance, floor)),
        log_weights=np.log([share, 1 - share]),
        index=0,
    )
