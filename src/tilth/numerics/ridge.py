"""Weighted ridge regression in closed form, with exact leave-one-out residuals.

    minimize over beta, b:   sum_i w_i (y_i - x_i beta - b)² / sum_i w_i  +  l2 ||beta||²

The intercept is not penalized. `l2` is a penalty per row; in scikit-learn's terms l2 = alpha / sum_i w_i.

Source: Hoerl & Kennard (1970), Technometrics 12; Allen (1974), Technometrics 16 (PRESS residuals).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from tilth.core.arrays import read_only
from tilth.core.errors import InputError, NotApplicable
from tilth.numerics._checks import check_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import Matrix, Vector

__all__ = ["RidgeFit", "fit", "leave_one_out_residuals", "predict"]


@dataclass(frozen=True, slots=True)
class RidgeFit:
    """A fitted linear regression.

    Attributes
    ----------
    coefficients : (d,)
    intercept : prediction where all features are 0
    """

    coefficients: Vector
    intercept: float


@dataclass(frozen=True, slots=True)
class _System:
    """Centred features and targets, and the triangle of their penalized Gram matrix (per unit of weight)."""

    features: Matrix
    targets: Vector
    shares: Vector
    mean: Vector
    level: float
    triangle: Matrix

    def coefficients(self) -> Vector:
        """Coefficients (d,) that solve the system."""
        right = self.features.T @ (self.shares * self.targets)
        half = solve_triangular(self.triangle, right, lower=True)
        return np.asarray(solve_triangular(self.triangle, half, lower=True, trans="T"), dtype=np.float64)

    def leverages(self) -> Vector:
        """Pull of each row's target on its own prediction, in [0, 1)."""
        turned = solve_triangular(self.triangle, self.features.T, lower=True)
        return np.asarray(self.shares * (1 + np.einsum("ij,ij->j", turned, turned)), dtype=np.float64)


def fit(features: NDArray[np.floating], targets: Vector, weights: Vector, l2: float) -> RidgeFit:
    """Return the exact minimizer; O(n d² + d³) time.

    Parameters
    ----------
    features : (n, d) float32 or float64, finite
    targets : (n,), finite
    weights : (n,), non-negative, not all 0; weight 2 is the row twice
    l2 : penalty per row, > 0

    Returns
    -------
    RidgeFit

    Raises
    ------
    InputError : shapes that do not fit, numbers that are not finite, l2 <= 0, features too collinear for l2

    Randomness: none.

    Source: Hoerl & Kennard (1970), Technometrics 12.
    """
    system = _system(features, targets, weights, l2)
    coefficients = system.coefficients()
    return RidgeFit(read_only(coefficients), system.level - float(system.mean @ coefficients))


def predict(features: NDArray[np.floating], fitted: RidgeFit) -> Vector:
    """Predicted targets; (m, d) -> (m,)."""
    return np.asarray(features @ fitted.coefficients + fitted.intercept, dtype=np.float64)


def leave_one_out_residuals(features: NDArray[np.floating], targets: Vector, weights: Vector, l2: float) -> Vector:
    """Residual of each row under the fit of all other rows, without refitting.

    e_i / (1 - h_i), where h_i is the row's leverage. The total penalty l2 · sum of weights is held when the
    row leaves, as is customary. A row of weight 0 gets its plain residual. O(n d² + d³) time, O(n d) memory.

    Parameters
    ----------
    features : (n, d) float32 or float64, finite
    targets : (n,), finite
    weights : (n,), non-negative, at least two of them positive
    l2 : penalty per row, > 0

    Returns
    -------
    (n,), target minus prediction, unit of the target, row order of the input

    Raises
    ------
    NotApplicable : fewer than two rows have weight
    InputError : as for `fit`

    Randomness: none.

    Source: Allen (1974), Technometrics 16.
    """
    if np.count_nonzero(weights) < 2:
        raise NotApplicable("leaving one row out needs at least two rows with weight")
    system = _system(features, targets, weights, l2)
    residuals = system.targets - system.features @ system.coefficients()
    return np.asarray(residuals / (1 - system.leverages()), dtype=np.float64)


def _system(features: NDArray[np.floating], targets: Vector, weights: Vector, l2: float) -> _System:
    _check(features, targets, weights, l2)
    shares = weights / weights.sum()
    mean, level = shares @ features, float(shares @ targets)
    centred = features - mean
    gram = centred.T @ (shares[:, None] * centred)
    gram[np.diag_indices(len(gram))] += l2
    try:
        triangle = cholesky(gram, lower=True)
    except LinAlgError as error:
        remedy = "scale the features or raise l2"
        raise InputError(f"features are too collinear for l2={l2}", next_step=remedy) from error
    return _System(centred, targets - level, shares, mean, level, triangle)


def _check(features: NDArray[np.floating], targets: Vector, weights: Vector, l2: float) -> None:
    n_rows = len(features)
    if features.ndim != 2 or targets.shape != (n_rows,):
        raise InputError(f"rows do not match: features {features.shape}, targets {targets.shape}")
    if not (np.isfinite(features).all() and np.isfinite(targets).all()):
        raise InputError("features or targets hold missing or infinite numbers")
    check_weights(weights, n_rows)
    if not (np.isfinite(l2) and l2 > 0):
        raise InputError(f"l2 must be a positive number, not {l2!r}")
