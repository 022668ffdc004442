"""How uncertain the scores of a learning curve are: the rows they are scored on, and the draw of the rows they are learnt from.

Scores are (m, n): m sizes, n held-out rows, every row in one fold. All sizes are scored on the same rows, and share that noise. Each
fold draws its own rows to learn from; what folds differ by beyond their rows is owed to that draw, and falls as one over the size.

Source: Viering, Loog (2023), IEEE TPAMI 45, section 3; analysis of variance within strata: Cochran (1977), Sampling Techniques, 5.4.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.schema import Task

__all__ = ["drawn_noise", "kinds_of", "rows_noise", "weights_of"]


def weights_of(labels: np.ndarray, *, stratified: bool) -> Vector:
    """Return what each row counts, in all 1: alike, or so that classes count alike."""
    if not stratified:
        return np.full(len(labels), 1 / len(labels))
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(1 / (len(counts) * counts[codes]), dtype=np.float64)


def kinds_of(labels: np.ndarray, task: Task) -> IntVector:
    """Return the classes, or deciles of numbers, that are spread evenly over folds."""
    if not task.is_regression:
        return labels.astype(np.intp)
    return np.searchsorted(np.quantile(labels, np.linspace(0.1, 0.9, 9)), labels).astype(np.intp)


def rows_noise(scores: Matrix, weights: Vector, strata: IntVector, together: IntVector, spread: float) -> Matrix:
    """Return the (m, m) covariance of the sizes' scores over held-out rows, with one row that might have gone otherwise by `spread`."""
    by_unit = _summed(_centred(scores, weights, strata), together)
    return np.asarray(by_unit @ by_unit.T + (spread * float(weights.max())) ** 2 * np.eye(len(scores)))


def drawn_noise(
    scores: Matrix, weights: Vector, kinds: IntVector, folds: IntVector, together: IntVector, sizes: IntVector
) -> float:
    """Return the variance of the mean over folds that is owed to the draw of n rows to learn from, times n.

    Folds hold the same shares of `kinds`, so that what kinds differ by makes no fold differ from another and is left out.
    """
    off = _centred(scores, weights, kinds)
    by_fold, by_unit = _summed(off, np.unique(folds, return_inverse=True)[1]), _summed(off, together)
    n_folds = by_fold.shape[1]
    excess = (by_fold**2).sum(axis=1) * n_folds / (n_folds - 1) - (by_unit**2).sum(axis=1)
    falling = 1 / sizes
    return max(float(falling @ excess) / float(falling @ falling), 0.0)


def _summed(values: Matrix, codes: IntVector) -> Matrix:
    return np.stack([np.bincount(codes, row) for row in values])


def _centred(scores: Matrix, weights: Vector, strata: IntVector) -> Matrix:
    """Return weighted scores less their stratum's mean."""
    codes = np.unique(strata, return_inverse=True)[1]
    means = np.stack([np.bincount(codes, weights * row) / np.bincount(codes, weights) for row in scores])
    return np.asarray(weights * (scores - means[:, codes]))
