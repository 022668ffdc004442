"""Refusals that several modules share: labels, weights, targets and transitions that are no such thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, first_three

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Matrix, Vector

__all__ = ["check_labels", "check_targets", "check_transition", "check_weights"]


def check_labels(labels: IntVector, n_rows: int, n_classes: int, *, what: str = "labels") -> None:
    """Refuse anything but (n_rows,) class numbers."""
    if labels.shape != (n_rows,):
        raise InputError(f"{n_rows} rows need as many {what}, got shape {labels.shape}")
    bad = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(bad):
        where = f"rows {first_three(bad)}"
        raise InputError(f"{what} must be class numbers from 0 to {n_classes - 1}", where=where)


def check_weights(weights: Vector, n_rows: int) -> None:
    """Refuse anything but (n_rows,) finite, non-negative numbers with a positive sum."""
    if weights.shape != (n_rows,):
        raise InputError(f"{n_rows} rows need as many weights, got shape {weights.shape}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise InputError("weights must be finite, non-negative and not all 0")


def check_targets(targets: Matrix, n_rows: int) -> None:
    """Refuse anything but n_rows rows of probabilities that sum to 1."""
    if targets.ndim != 2 or len(targets) != n_rows or targets.shape[1] == 0:
        raise InputError(f"{n_rows} rows need as many rows of targets, got shape {targets.shape}")
    bad = np.flatnonzero(~_are_probabilities(targets))
    if len(bad):
        raise InputError("targets must be probabilities that sum to 1", where=f"rows {first_three(bad)}")


def check_transition(transition: Matrix, n_classes: int) -> None:
    """Refuse anything but a (k, k) row-stochastic matrix."""
    if transition.shape != (n_classes, n_classes):
        raise InputError(f"transition must be ({n_classes}, {n_classes}), not {transition.shape}")
    if not _are_probabilities(transition).all():
        raise InputError("rows of the transition must be probabilities that sum to 1")


def _are_probabilities(matrix: Matrix) -> Mask:
    return np.asarray((np.abs(matrix.sum(axis=1) - 1) <= 1e-6) & (matrix >= 0).all(axis=1), dtype=np.bool_)
