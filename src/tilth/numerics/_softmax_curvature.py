"""Inverse curvatures of multinomial logistic loss, used as preconditioners.

*Mean*: in the basis of principal axes every class has curvature h·variance_j + l2 on axis j, where h is the mean
of p (1 - p): free, and enough for smooth problems. *Block*: each class has its own matrix
Z' diag(p_c (1 - p_c)) Z + l2 I at a given fit: it costs as much as tens of iterations, and serves a whole family of
neighbouring fits. *Full*: the exact Hessian, for few coefficients. All keep the sum over classes
at zero, because adding one vector to all classes changes no probability.

Source: Boehning (1992), Ann. Inst. Stat. Math. 44, for curvature that factors into classes times features.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpotrf, dpotri

from tilth.numerics._axes import pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Matrix, Vector
    from tilth.numerics._axes import OnAxes

__all__ = [
    "FULL_SIZE",
    "BlockCurvature",
    "Curvature",
    "FullCurvature",
    "MeanCurvature",
    "block_curvature",
    "curvature_of_stage",
    "full_curvature",
    "inverse_of",
    "is_affordable",
]

_KEPT_MASS = 0.8
_FLOOR = 1e-3
_JITTER = 1e-14
_BLOCK_BYTES = 2**29
FULL_SIZE = 1_500
"""Coefficients up to which the exact Hessian is affordable."""


@dataclass(frozen=True, slots=True)
class MeanCurvature:
    """One diagonal curvature, (d + 1,), for all classes; the last entry is the intercept's."""

    diagonal: Vector

    @classmethod
    def at(cls, probs: Matrix, weights: Vector, variances: Vector, l2: float) -> MeanCurvature:
        """Measure it at probabilities (k, n) under weights (n,) that sum to 1."""
        h = max(float(np.einsum("ij,ij,j->", probs, 1 - probs, weights)) / len(probs), 1e-12)
        return cls(np.append(h * variances + l2, h))

    def solve(self, gradient: Matrix) -> Matrix:
        """Divide by the curvature; (d + 1, k) -> (d + 1, k)."""
        centred = gradient - gradient.mean(axis=1, keepdims=True)
        return np.asarray(centred / self.diagonal[:, None], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class BlockCurvature:
    """Inverse curvature of every class at one fit.

    Attributes
    ----------
    inverses : float32, (k, d + 1, d + 1); a preconditioner needs no more digits than that
    """

    inverses: NDArray[np.float32]

    def of_classes(self, classes: IntVector) -> BlockCurvature:
        """Keep some classes only."""
        return self if len(classes) == len(self.inverses) else BlockCurvature(self.inverses[classes])

    def solve(self, gradient: Matrix) -> Matrix:
        """Apply each class's inverse; (d + 1, k) -> (d + 1, k)."""
        centred = gradient - gradient.mean(axis=1, keepdims=True)
        # float32 has a smallest number, which tiny gradients would meet
        size = float(np.abs(centred).max()) or 1.0
        right = (centred / size).T.astype(np.float32)[:, :, None]
        solved = np.matmul(self.inverses, right)[:, :, 0].T * size
        return np.asarray(solved - solved.mean(axis=1, keepdims=True), dtype=np.float64)


def block_curvature(projected: OnAxes, probs: Matrix, weights: Vector, variances: Vector, l2: float) -> BlockCurvature:
    """Curvature of each class at given probabilities; (n, d), (k, n), weights (n,) with sum 1.

    Only the rows that hold 80 % of a class's p (1 - p) enter its matrix; the rest enters as the average row.
    """
    n_axes = projected.shape[1]
    inverses = np.zeros((len(probs), n_axes + 1, n_axes + 1), dtype=np.float32)
    shares = [p * (1 - p) * weights for p in probs]
    heaviest = [_heaviest(share) for share in shares]
    for first, part in pieces(projected):
        extended = np.ones((len(part), n_axes + 1), dtype=np.float32)
        extended[:, :-1] = part
        for c, (share, rows) in enumerate(zip(shares, heaviest, strict=True)):
            here = rows[slice(*np.searchsorted(rows, (first, first + len(part))))]
            root = extended[here - first] * np.sqrt(share[here]).astype(np.float32)[:, None]
            inverses[c] += root.T @ root
    for c, (share, rows) in enumerate(zip(shares, heaviest, strict=True)):
        rest = max(float(share.sum() - share[rows].sum()), _FLOOR / len(probs))
        matrix = inverses[c].astype(np.float64)
        matrix[np.diag_indices(n_axes + 1)] += np.append(rest * variances + l2, rest)
        inverses[c] = inverse_of(matrix)
    return BlockCurvature(inverses)


def inverse_of(matrix: Matrix) -> Matrix:
    """Invert a positive definite matrix by its Cholesky factor, at a third of the price of a general one."""
    factor, failed = dpotrf(matrix, lower=True)
    lower, failed = (factor, failed) if failed else dpotri(factor, lower=True)
    if failed:  # not positive definite within rounding
        return np.asarray(np.linalg.inv(matrix))
    lower = np.tril(lower)
    return np.asarray(lower + np.tril(lower, -1).T)


@dataclass(frozen=True, slots=True)
class FullCurvature:
    """Cholesky factor (lower) of the exact Hessian at one fit, with the classes as outer index."""

    factor: Matrix

    def solve(self, gradient: Matrix) -> Matrix:
        """Apply the inverse Hessian; (d + 1, k) -> (d + 1, k)."""
        centred = gradient - gradient.mean(axis=1, keepdims=True)
        solved = cho_solve((self.factor, True), centred.T.ravel(), check_finite=False)
        solved = solved.reshape(gradient.T.shape).T
        return np.asarray(solved - solved.mean(axis=1, keepdims=True), dtype=np.float64)


Curvature = MeanCurvature | BlockCurvature | FullCurvature


def curvature_of_stage(
    stage: int, projected: OnAxes, probs: Matrix, weights: Vector, variances: Vector, l2: float
) -> Curvature:
    """Curvature at these probabilities: the dearer the later the stage, as far as memory and rounding allow."""
    n_coefficients = projected.shape[1] + 1
    if stage >= 2 and n_coefficients * len(probs) <= FULL_SIZE:
        with suppress(LinAlgError):
            return full_curvature(projected, probs, weights, l2)
    if stage >= 1 and is_affordable(n_coefficients, len(probs)):
        return block_curvature(projected, probs, weights, variances, l2)
    return MeanCurvature.at(probs, weights, variances, l2)


def is_affordable(n_coefficients: int, n_classes: int) -> bool:
    """Whether one matrix per class fits into 512 MB."""
    return 4 * n_classes * n_coefficients**2 <= _BLOCK_BYTES


def full_curvature(projected: OnAxes, probs: Matrix, weights: Vector, l2: float) -> FullCurvature:
    """Exact Hessian at given probabilities; (n, d), (k, n), weights (n,) with sum 1."""
    n_axes = projected.shape[1]
    n_classes, size = len(probs), n_axes + 1
    hessian = np.zeros((n_classes, size, n_classes, size))
    squares = 0.0
    for first, part in pieces(projected):
        here = slice(first, first + len(part))
        extended = np.column_stack([part, np.ones(len(part))])
        squares += float(np.einsum("i,ij,ij->", weights[here], part, part))
        for a in range(n_classes):
            for b in range(a + 1):
                share = probs[a, here] * (float(a == b) - probs[b, here]) * weights[here]
                product = extended.T @ (share[:, None] * extended)
                hessian[a, :, b, :] += product
                if a != b:
                    hessian[b, :, a, :] += product
    # Moving all classes together changes only the penalty, which callers leave out: any curvature will do.
    scale = max(l2, squares / size)
    hessian += np.eye(size)[None, :, None, :] * scale / n_classes
    flat = hessian.reshape(n_classes * size, n_classes * size)
    diagonal = np.append(np.full(n_axes, l2), 0.0) + _JITTER * np.trace(flat) / len(flat)
    flat[np.diag_indices(len(flat))] += np.tile(diagonal, n_classes)
    return FullCurvature(np.tril(cho_factor(flat, lower=True, check_finite=False)[0]))


def _heaviest(share: Vector) -> IntVector:
    """Rows that together hold most of the mass, in row order."""
    descending = np.sort(share)[::-1]
    held = np.cumsum(descending)
    last = int(np.searchsorted(held, _KEPT_MASS * held[-1]))
    return np.flatnonzero(share >= descending[min(last, len(share) - 1)])
