"""How well scores rank the rows of a class before the others: AUROC and average precision, linearised.

    AUROC = mean over pairs (positive i, negative j) of [s_i > s_j] + [s_i = s_j] / 2
    AP    = mean over positives i of  (positives with s >= s_i) / (rows with s >= s_i)

Source: DeLong, DeLong, Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating characteristic
curves, Biometrics 44; Boyd, Eng, Page (2013), Area under the precision-recall curve: point estimates and confidence intervals,
ECML PKDD (which estimators of AP there are).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics.class_measures import label_marks
from tilth.numerics.linearised import Linearised

if TYPE_CHECKING:
    from tilth.core.arrays import Mask, Matrix, Vector

__all__ = ["auroc", "average_precision", "over_classes"]

RANKED = 0.5
"""Share of the bounds by which two rows of a class differ in rank, roughly: no row is ranked all or nothing."""
Ranked = Callable[["Mask", "Vector"], Linearised]


def auroc(positive: Mask, scores: Vector) -> Linearised:
    """Return the area under the ROC curve with DeLong's structural components; O(n log n).

    Parameters
    ----------
    positive : (n,) rows of the class
    scores : (n,) higher for the class, any scale

    Returns
    -------
    Linearised
        In [0, 1]; it hangs on the rarer of the two sides.

    Raises
    ------
    NotApplicable
        Where all rows are of the class, or none.
    InputError
        Where a score is not finite.

    Source
    ------
    DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44; Sun, Xu (2014), Fast implementation of DeLong's algorithm, IEEE
    Signal Processing Letters 21 (by ranks).

    Examples
    --------
    >>> auroc(np.array([False, True, False, True]), np.array([0.1, 0.4, 0.5, 0.9])).value
    0.75
    """
    _check(positive, scores)
    n_pos, n = int(positive.sum()), len(positive)
    n_neg = n - n_pos
    if not (n_pos and n_neg):
        raise NotApplicable(f"AUROC is not defined: {'no row' if not n_pos else 'every row'} is of the class")
    ranks = _mid_ranks(scores)
    own = np.empty(n)
    own[positive] = _mid_ranks(scores[positive])
    own[~positive] = _mid_ranks(scores[~positive])
    # The share of the other side that lies on the right side of each row.
    placed = np.where(positive, (ranks - own) / n_neg, 1 - (ranks - own) / n_pos)
    value = float(placed[positive].mean())
    scale = np.where(positive, n / n_pos * _unbiased(n_pos), n / n_neg * _unbiased(n_neg))
    return Linearised(
        rows=value + (placed - value) * scale, bounds=(0.0, 1.0), informative=float(min(n_pos, n_neg)), reach=RANKED
    )


def average_precision(positive: Mask, scores: Vector) -> Linearised:
    """Return average precision, the area under the precision-recall curve as a step function; O(n log n).

    Its influence function: a positive moves the mean of the precisions at its own score, and every row moves the precision at
    all scores below its own.

    Parameters
    ----------
    positive : (n,) rows of the class
    scores : (n,) higher for the class, any scale

    Returns
    -------
    Linearised
        In [0, 1]; it hangs on the rows of the class.

    Raises
    ------
    NotApplicable
        Where no row is of the class.
    InputError
        Where a score is not finite.

    Source
    ------
    Boyd, Eng, Page (2013), ECML PKDD, section 3 (average precision).

    Examples
    --------
    >>> round(average_precision(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])).value, 4)
    0.8333
    """
    _check(positive, scores)
    n, n_pos = len(positive), int(positive.sum())
    if not n_pos:
        raise NotApplicable("average precision is not defined: no row is of the class")
    distinct, at = np.unique(-scores, return_inverse=True)
    count = np.bincount(at, minlength=len(distinct)).astype(np.float64)
    hits = np.bincount(at, positive, len(distinct))
    above = np.cumsum(count)
    precision = np.cumsum(hits) / above
    y = positive.astype(np.float64)
    value = float(precision[at][positive].mean())
    # A row at s_0 adds (y_0 − precision(s)) / (rows above s) to the precision at every s <= s_0.
    weight = hits / above
    from_here = np.cumsum(weight[::-1])[::-1]
    from_here_precise = np.cumsum((weight * precision)[::-1])[::-1]
    others = n / n_pos * (y * from_here[at] - from_here_precise[at])
    own = n / n_pos * y * (precision[at] - value)
    return Linearised(rows=value + own + others, bounds=(0.0, 1.0), informative=float(n_pos))


def over_classes(measure: Ranked, labels: np.ndarray, predicted: Matrix) -> Linearised:
    """Return a ranking measure of the second of two classes, or its mean over all classes, each against the others.

    Parameters
    ----------
    measure : `auroc` or `average_precision`
    labels : (n,) class numbers, or (n, k) of 0 and 1
    predicted : (n, k) probabilities

    Returns
    -------
    Linearised
        In [0, 1].

    Raises
    ------
    NotApplicable
        Where it is not defined for one of the classes.

    Source
    ------
    Fawcett (2006), An introduction to ROC analysis, Pattern Recognition Letters 27, section 9 (one against the others).

    Examples
    --------
    >>> over_classes(auroc, np.array([0, 1, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])).value
    0.75
    """
    marks = label_marks(labels, predicted.shape[1])
    if labels.ndim == 1 and marks.shape[1] == 2:
        return measure(marks[:, 1], predicted[:, 1])
    each = []
    for c in range(marks.shape[1]):
        try:
            each.append(measure(marks[:, c], predicted[:, c]))
        except NotApplicable as refusal:
            raise NotApplicable(refusal.what, where=f"class {c}") from None
    hidden = sum((1 / (one.informative or len(one))) ** 2 for one in each)
    return Linearised(
        rows=np.mean([one.rows for one in each], axis=0),
        bounds=(0.0, 1.0),
        informative=len(each) / float(np.sqrt(hidden)),
        reach=max(one.reach for one in each),
    )


def _check(positive: Mask, scores: Vector) -> None:
    if positive.shape != scores.shape or not np.isfinite(scores).all():
        raise InputError("each row needs one finite score", where=f"{positive.shape} rows, {scores.shape} scores")


def _mid_ranks(scores: Vector) -> Vector:
    """Return ranks from 1, of tied scores their mean."""
    distinct, at = np.unique(scores, return_inverse=True)
    count = np.bincount(at, minlength=len(distinct))
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[at], dtype=np.float64)


def _unbiased(n: int) -> float:
    """Return what makes the mean square of n centred numbers an unbiased variance."""
    return float(np.sqrt(n / (n - 1))) if n > 1 else 1.0
