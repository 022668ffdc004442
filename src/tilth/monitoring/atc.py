"""Average thresholded confidence: the share of new rows that are as confident as right rows used to be.

    t:  share of reference rows with s(x) < t  =  their share of wrong rows
    score = share of current rows with s(x) >= t,      s = max_c p_c   or   s = sum_c p_c log p_c

It holds where rows of one confidence are as often right as before; it fails where the model is sure of itself on
foreign rows.

Source: Garg, Balakrishnan, Lipton, Neyshabur, Sedghi (2022), Leveraging unlabeled data to predict out-of-distribution
performance, ICLR, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.monitoring._shared import (
    interval_of,
    refuse_other_than_right_or_wrong,
    row_variance,
    scored_rows,
)
from tilth.operators.view import View

__all__ = ["Atc", "certainty", "thresholded_share"]

By = Literal["confidence", "entropy"]
_WINDOW = 0.1
"""Share of reference rows around the threshold in which both densities are compared."""
_PRIOR_ROWS = 5.0


def certainty(pred_probs: Matrix, by: By = "confidence") -> Vector:
    """Return how sure each row's prediction is: its largest probability, or its negative entropy; (n, k) -> (n,).

    Examples
    --------
    >>> certainty(np.array([[0.9, 0.1], [0.5, 0.5]])).tolist()
    [0.9, 0.5]
    """
    if by == "confidence":
        return np.asarray(pred_probs.max(axis=1), dtype=np.float64)
    tiny = np.finfo(np.float64).tiny
    return np.asarray((pred_probs * np.log(np.maximum(pred_probs, tiny))).sum(axis=1), dtype=np.float64)


def thresholded_share(reference: Vector, scores: Vector, current: Vector) -> float:
    """Return the share of current rows above the threshold above which the share of reference rows is their score.

    Rows at the threshold count in part, as many of them as make the reference's share exact. O((n + m) log n).

    Parameters
    ----------
    reference : (n,) certainty of labelled rows
    scores : (n,) 1 where they are right, else 0
    current : (m,) certainty of new rows, m >= 1

    Returns
    -------
    float
        In [0, 1]; of the reference rows themselves, their mean score.

    Randomness
    ----------
    None.

    Source
    ------
    Garg et al. (2022), ICLR, equation 1.

    Examples
    --------
    >>> sure = np.array([0.9, 0.8, 0.7, 0.6])
    >>> thresholded_share(sure, np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.95, 0.65, 0.5, 0.75]))
    0.5
    """
    threshold, part = _threshold(reference, scores)
    return float((current > threshold).mean() + part * (current == threshold).mean())


def _threshold(reference: Vector, scores: Vector) -> tuple[float, float]:
    """Return the threshold, and which part of the rows that lie on it counts as right."""
    right = float(scores.sum())
    falling = np.sort(reference)[::-1]
    threshold = float(falling[min(max(int(np.ceil(right - 1e-9)) - 1, 0), len(falling) - 1)])
    above, on = float((reference > threshold).sum()), float((reference == threshold).sum())
    return threshold, min(max((right - above) / on, 0.0), 1.0)


def _slope(reference: Vector, current: Vector, threshold: float) -> float:
    """Return how many current rows lie at the threshold for one reference row, as shares; pulled toward 1 by few rows."""
    distances = np.abs(reference - threshold)
    reach = float(np.quantile(distances, _WINDOW))
    expected = float((distances <= reach).mean()) * len(current)
    return (float((np.abs(current - threshold) <= reach).sum()) + _PRIOR_ROWS) / (expected + _PRIOR_ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atc:
    """Estimate accuracy by the share of new rows above a threshold of confidence learnt on labelled rows.

    The interval holds sampling errors only: it is right as far as confidence means what it meant. Scores other than
    right or wrong are refused.

    Parameters
    ----------
    by : confidence (largest probability, the default) or entropy (its negative; often better with many classes)
    """

    by: By = "confidence"

    needs: ClassVar[frozenset[str]] = frozenset({"pred_probs", "scores"})
    revision: ClassVar[int] = 1

    def estimate(self, reference: View, current: View) -> Estimate:
        """Return the accuracy to be expected of the current rows."""
        rows = scored_rows(reference, current)
        scores = reference.scores[rows]
        refuse_other_than_right_or_wrong(scores)
        if not reference.has("pred_probs"):
            raise NotApplicable("it goes by the confidence in classes, and there is none")
        known, new = certainty(reference.pred_probs[rows], self.by), certainty(current.pred_probs, self.by)
        value = thresholded_share(known, scores, new)
        threshold, _ = _threshold(known, scores)
        doubt = row_variance((known >= threshold) - scores) if len(rows) else 0.0
        own = _slope(known, new, threshold) ** 2 * doubt / len(rows)
        smoothed = (value * len(new) + 1) / (len(new) + 2)
        return interval_of(value, own + smoothed * (1 - smoothed) / len(new), (0.0, 1.0))
