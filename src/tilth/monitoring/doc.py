"""Difference of confidences: what the mean confidence lost, the score lost too.

    score = mean reference score + mean current confidence - mean reference confidence

It holds where confidence falls as much as accuracy does; a model that stays sure of itself on foreign rows hides the loss.

Source: Guillory, Shankar, Ebrahimi, Darrell, Schmidt (2021), Predicting with confidence on unseen distributions, ICCV,
equation 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.estimate import Estimate
from tilth.monitoring._shared import (
    confidence,
    interval_of,
    refuse_other_than_right_or_wrong,
    row_variance,
    scored_rows,
)
from tilth.operators.view import View

__all__ = ["Doc", "moved_with_confidence"]


def moved_with_confidence(reference: Vector, scores: Vector, current: Vector) -> float:
    """Return the reference's mean score, moved by as much as the mean confidence moved; (n,), (n,), (m,) -> a number.

    Examples
    --------
    >>> round(moved_with_confidence(np.array([0.9, 0.7]), np.array([1.0, 1.0]), np.array([0.6])), 3)
    0.8
    """
    return float(np.mean(scores) + np.mean(current) - np.mean(reference))


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """Estimate accuracy by how far the mean confidence moved.

    The interval holds sampling errors only: it is right as far as confidence falls as accuracy does. Scores other than
    right or wrong are refused.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"pred_probs", "scores"})
    revision: ClassVar[int] = 1

    def estimate(self, reference: View, current: View) -> Estimate:
        """Return the accuracy to be expected of the current rows."""
        rows = scored_rows(reference, current)
        scores = reference.scores[rows]
        refuse_other_than_right_or_wrong(scores)
        known, new = confidence(reference)[rows], confidence(current)
        value = min(max(moved_with_confidence(known, scores, new), 0.0), 1.0)
        own = row_variance(scores - known) / len(rows)
        smoothed = (value * len(new) + 1) / (len(new) + 2)
        return interval_of(value, own + smoothed * (1 - smoothed) / len(new), (0.0, 1.0))
