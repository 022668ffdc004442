"""Calibrated confidence: the mean score that reference rows of the same confidence had.

    g = argmin over rising g of  sum_i (score_i - g(conf_i))²,      score = mean over current rows of g(conf)

It holds where rows of one confidence score as before; it fails where the model is sure of itself on foreign rows, and
where the rule behind the labels has changed.

Source: Zadrozny, Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates, KDD,
section 3 (isotonic calibration); Guillory et al. (2021), ICCV, section 3 (mean confidence as an estimate of accuracy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import isotonic_regression

from tilth.core.arrays import Vector
from tilth.core.estimate import Estimate
from tilth.monitoring._shared import bounds_of, confidence, interval_of, row_variance, scored_rows
from tilth.operators.view import View

__all__ = ["Calibration", "Cbpe", "calibrated_by"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Steps of a rising function.

    Attributes
    ----------
    starts : (b,) least confidence of each step, rising
    values : (b,) mean score on each step, rising
    rows : (b,) reference rows of each step
    """

    starts: Vector
    values: Vector
    rows: Vector

    def step_of(self, confidence: Vector) -> np.ndarray:
        """Return the step (m,) of each confidence (m,); below the first step it is the first."""
        return np.maximum(np.searchsorted(self.starts, confidence, side="right") - 1, 0)


def calibrated_by(confidence: Vector, scores: Vector) -> Calibration:
    """Fit the rising step function of confidence that comes closest to the scores, rows of one confidence together.

    O(n log n). Over the rows that it was fitted to, its mean is their mean score.

    Parameters
    ----------
    confidence : (n,) of labelled rows, n >= 1
    scores : (n,) of the same rows, higher is better

    Returns
    -------
    Calibration

    Randomness
    ----------
    None.

    Source
    ------
    Zadrozny, Elkan (2002), KDD, section 3.

    Examples
    --------
    >>> calibrated_by(np.array([0.5, 0.6, 0.7, 0.9]), np.array([0.0, 1.0, 0.0, 1.0])).values.tolist()
    [0.0, 0.5, 1.0]
    """
    levels, place = np.unique(confidence, return_inverse=True)
    counts = np.bincount(place, minlength=len(levels)).astype(np.float64)
    means = np.bincount(place, scores, len(levels)) / counts
    found = isotonic_regression(means, weights=counts)
    blocks = np.asarray(found.blocks[:-1], dtype=np.intp)
    return Calibration(levels[blocks], np.asarray(found.x)[blocks], np.add.reduceat(counts, blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cbpe:
    """Estimate the mean score by confidence, calibrated on labelled rows.

    Any score that rises with confidence will do. The interval holds sampling errors only: it is right as far as
    confidence means what it meant.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"pred_probs", "scores"})
    revision: ClassVar[int] = 1

    def estimate(self, reference: View, current: View) -> Estimate:
        """Return the mean score to be expected of the current rows."""
        rows = scored_rows(reference, current)
        scores = reference.scores[rows]
        known, new = confidence(reference)[rows], confidence(current)
        steps = calibrated_by(known, scores)
        at = steps.step_of(new)
        value = float(steps.values[at].mean())
        spread = row_variance(scores, 1e-9 + _counts(steps, known, at))
        share = np.bincount(at, minlength=len(steps.values)) / len(new)
        own = float((np.square(share) * _step_variance(steps, known, scores) / steps.rows).sum())
        return interval_of(value, own + spread / len(new), bounds_of(scores))


def _counts(steps: Calibration, known: Vector, at: np.ndarray) -> Vector:
    """Return, for each reference row, how many current rows stand on its step for one reference row there."""
    taken = np.bincount(at, minlength=len(steps.values)) / steps.rows
    return np.asarray(taken[steps.step_of(known)], dtype=np.float64)


def _step_variance(steps: Calibration, known: Vector, scores: Vector) -> Vector:
    """Return the variance of one row's score on each step; few rows are pulled toward the variance of all."""
    place = steps.step_of(known)
    squares = np.bincount(place, np.square(scores - steps.values[place]), len(steps.values))
    overall = row_variance(scores)
    return np.asarray((squares + 2 * overall) / (steps.rows + 2), dtype=np.float64)
