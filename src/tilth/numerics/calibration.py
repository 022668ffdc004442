"""Temperature scaling, and how far confidence is from accuracy.

    p_ij(T) = softmax_j(log p_ij / T),   T = argmin of the negative log-likelihood (convex in 1 / T)
    ECE = sum over bins of  weight share · |accuracy - confidence|

Source: Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML, sections 2, 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.arrays import read_only
from tilth.core.errors import InputError
from tilth.numerics._checks import check_labels, check_targets, check_weights

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = ["Reliability", "apply_temperature", "expected_calibration_error", "fit_temperature", "reliability"]

_COLDEST, _HOTTEST = 0.01, 100.0
_LEAST_LOG = float(np.log(np.finfo(np.float64).tiny))


@dataclass(frozen=True, slots=True)
class Reliability:
    """Confidence against accuracy in bins of equal width; empty bins are left out.

    Attributes
    ----------
    confidence : (b,), weighted mean of the largest probability, ascending
    accuracy : (b,), weighted share of rows whose most probable class is their label
    share : (b,), of the total weight; sums to 1
    """

    confidence: Vector
    accuracy: Vector
    share: Vector


def fit_temperature(log_probs: Matrix, targets: IntVector | Matrix, weights: Vector | None = None) -> float:
    """Find the temperature under which out-of-sample predictions fit their labels best.

    Above 1 the predictions were too sure of themselves. The order of the classes within a row never changes.
    The answer is held within [0.01, 100]; predictions that are all right, or no better than chance, reach an
    end. O(n k) time per step, about 15 steps.

    Parameters
    ----------
    log_probs : (n, k), logarithms of out-of-sample pred_probs, or any scores before softmax; -inf is allowed
    targets : (n,) labels as class numbers, or (n, k) probabilities that sum to 1
    weights : (n,), non-negative, not all 0; default None = all 1

    Returns
    -------
    float in [0.01, 100]; 1 changes nothing

    Raises
    ------
    InputError : shapes that do not fit, labels out of range, weights that are no such thing, NaN in
        log_probs

    Randomness: none.

    Source: Guo et al. (2017), ICML, section 4.2.
    """
    scores = _clipped(log_probs)
    shares = _shares(weights, len(scores))
    wanted = float(shares @ _target_scores(scores, targets))

    def slope(log_temperature: float) -> float:
        """Derivative of the negative log-likelihood by 1 / T: mean score expected minus mean score wanted."""
        expected = (_softmax(scores * np.exp(-log_temperature)) * scores).sum(axis=1)
        return float(shares @ expected) - wanted

    cold, hot = float(np.log(_COLDEST)), float(np.log(_HOTTEST))
    if slope(cold) <= 0:
        return _COLDEST
    if slope(hot) >= 0:
        return _HOTTEST
    from scipy.optimize import brentq

    return float(np.exp(brentq(slope, cold, hot, xtol=1e-10)))


def apply_temperature(log_probs: Matrix, temperature: float) -> Matrix:
    """Probabilities at a temperature; (n, k), > 0 -> (n, k), rows sum to 1."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature must be a positive number, not {temperature!r}")
    return _softmax(_clipped(log_probs) / temperature)


def reliability(
    pred_probs: Matrix, labels: IntVector, weights: Vector | None = None, *, n_bins: int = 15
) -> Reliability:
    """Compare confidence and accuracy in `n_bins` bins of equal width over (0, 1], closed on the right.

    Parameters
    ----------
    pred_probs : (n, k), n >= 1, out-of-sample
    labels : (n,) class numbers
    weights : (n,), non-negative, not all 0; default None = all 1
    n_bins : >= 1, default 15 as in the source

    Returns
    -------
    Reliability

    Raises
    ------
    InputError : shapes that do not fit, labels out of range, weights that are no such thing

    Randomness: none.

    Source: Guo et al. (2017), ICML, section 2.
    """
    if n_bins < 1:
        raise InputError(f"n_bins must be at least 1, not {n_bins}")
    check_labels(labels, *_shape(pred_probs))
    shares = _shares(weights, len(pred_probs))
    top = pred_probs.max(axis=1)
    correct = pred_probs.argmax(axis=1) == labels
    bins = np.clip(np.ceil(top * n_bins).astype(np.intp) - 1, 0, n_bins - 1)
    share = _sums(bins, shares, n_bins)
    kept = share > 0
    confidence = _sums(bins, shares * top, n_bins)[kept] / share[kept]
    accuracy = _sums(bins, shares * correct, n_bins)[kept] / share[kept]
    return Reliability(read_only(confidence), read_only(accuracy), read_only(share[kept]))


def expected_calibration_error(
    pred_probs: Matrix, labels: IntVector, weights: Vector | None = None, *, n_bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy, in [0, 1]; 0 = calibrated.

    Biased upward for few rows per bin: compare it only between equal numbers of rows.

    Parameters
    ----------
    pred_probs : (n, k), n >= 1, out-of-sample
    labels : (n,) class numbers
    weights : (n,), non-negative, not all 0; default None = all 1
    n_bins : >= 1, default 15 as in the source

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    InputError : as for `reliability`

    Randomness: none.

    Source: Guo et al. (2017), ICML, equation 3.
    """
    bins = reliability(pred_probs, labels, weights, n_bins=n_bins)
    return float(bins.share @ np.abs(bins.accuracy - bins.confidence))


def _sums(bins: IntVector, amounts: Vector, n_bins: int) -> Vector:
    return np.bincount(bins, amounts, n_bins).astype(np.float64)


def _softmax(scores: Matrix) -> Matrix:
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(probs / probs.sum(axis=1, keepdims=True), dtype=np.float64)


def _clipped(log_probs: Matrix) -> Matrix:
    """Scores relative to the row's largest, none below the logarithm of the smallest number."""
    _shape(log_probs)
    top = log_probs.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        bad = int(np.flatnonzero(~np.isfinite(top[:, 0]))[0])
        raise InputError("log_probs need a finite largest entry in every row, and no NaN", where=f"row {bad}")
    return np.asarray(np.maximum(log_probs - top, _LEAST_LOG), dtype=np.float64)


def _target_scores(scores: Matrix, targets: IntVector | Matrix) -> Vector:
    """Score that each row's target gives to itself, (n,)."""
    if targets.ndim == 1:
        labels = targets.astype(np.intp)
        check_labels(labels, *scores.shape)
        return np.asarray(scores[np.arange(len(scores)), labels], dtype=np.float64)
    soft = targets.astype(np.float64)
    check_targets(soft, len(scores))
    if targets.shape != scores.shape:
        raise InputError(f"soft targets must have shape {scores.shape}, not {targets.shape}")
    return np.asarray((soft * scores).sum(axis=1), dtype=np.float64)


def _shape(matrix: Matrix) -> tuple[int, int]:
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise InputError(f"predictions must be (n, k) with n, k >= 1, not of shape {matrix.shape}")
    return matrix.shape[0], matrix.shape[1]


def _shares(weights: Vector | None, n_rows: int) -> Vector:
    if weights is None:
        return np.full(n_rows, 1 / n_rows)
    check_weights(weights, n_rows)
    return np.asarray(weights / weights.sum(), dtype=np.float64)
