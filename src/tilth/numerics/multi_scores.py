"""How good sets of classes with probabilities are against the true sets: by class, over all classes, and set by set.

    accuracy   share of (row, class) pairs that are right: 1 minus the Hamming loss
    micro F1   2 Σ tp / Σ (true + said), over rows and classes together: common classes weigh more
    macro F1   mean over classes of each one's F1: a class that is neither said nor true anywhere counts 1
    subset     share of rows whose set is right as a whole
    nll        mean over rows and classes of −log p(what is true of the class)

Intervals are over rows: what a row contributes to all classes stays together, because classes of one row are no independent trials.

Source: Zhang, Zhou (2014), A review on multi-label learning algorithms, IEEE TKDE 26, section 2.2; intervals of the ratios by
linearization: Wolter (2007), Introduction to Variance Estimation, section 6.5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.numerics.class_f1 import f1_rows
from tilth.numerics.intervals import mean_interval, wilson

__all__ = ["MultiScores", "multi_scores"]

_LEAST = 1e-12
"""A probability below it counts as it: one sure mistake does not make the whole likelihood infinite."""


class MultiScores(NamedTuple):
    """Scores with 95 % intervals: all but nll in [0, 1], higher is better; nll in nats per row and class, lower is better."""

    accuracy: Estimate
    micro_f1: Estimate
    macro_f1: Estimate
    subset_accuracy: Estimate
    nll: Estimate


def multi_scores(said: Mask, probs: Matrix, truth: Mask) -> MultiScores:
    """Return accuracy, micro and macro F1, subset accuracy and negative log-likelihood of sets of classes. O(n k).

    Parameters
    ----------
    said : (n, k) classes that each row was given
    probs : (n, k) p(class) that was given, each in [0, 1]; rows need not sum to 1
    truth : (n, k) classes that it has

    Returns
    -------
    MultiScores
        Each with its interval over rows.

    Raises
    ------
    InputError
        Without rows or classes.

    Randomness
    ----------
    None.

    Source
    ------
    Zhang, Zhou (2014), IEEE TKDE 26, section 2.2; Wolter (2007), section 6.5.

    Examples
    --------
    >>> said = np.array([[True, True], [True, False]])
    >>> scores = multi_scores(said, np.full((2, 2), 0.5), np.array([[True, False], [True, False]]))
    >>> [round(one.value, 2) for one in scores[:4]]
    [0.75, 0.8, 0.5, 0.5]
    """
    if not truth.size:
        raise InputError("there is no row to score")
    right = said == truth
    chances = np.where(truth, probs, 1.0 - probs)
    losses = -np.log(np.maximum(chances, _LEAST)).mean(axis=1)
    by_class = np.stack([f1_rows(truth[:, c], said[:, c]) for c in range(truth.shape[1])])
    whole = right.all(axis=1)
    return MultiScores(
        accuracy=_share(right.mean(axis=1)),
        micro_f1=_share(_micro_rows(said, truth)),
        macro_f1=_share(by_class.mean(axis=0)),
        subset_accuracy=wilson(float(whole.sum()), len(whole)),
        nll=_at_least_zero(mean_interval(losses)),
    )


def _micro_rows(said: Mask, truth: Mask) -> Vector:
    """Numbers per row whose mean is the micro F1, with its spread by linearization; ones where nothing is said or true."""
    hits, either = (said & truth).sum(axis=1), (said.sum(axis=1) + truth.sum(axis=1)).astype(np.float64)
    if not either.any():
        return np.ones(len(either))
    f1 = 2 * hits.sum() / either.sum()
    return np.asarray(f1 + (2 * hits - f1 * either) / either.mean())


def _share(rows: Vector) -> Estimate:
    """Return the mean of numbers per row, as a share; what one row says of its spread is nothing."""
    found = mean_interval(rows)
    value = min(max(found.value, 0.0), 1.0)
    low, high = min(max(found.low, 0.0), value), max(min(found.high, 1.0), value)
    return Estimate(value=value, low=low, high=high, standard_error=found.standard_error)


def _at_least_zero(loss: Estimate) -> Estimate:
    return Estimate(value=loss.value, low=max(0.0, loss.low), high=loss.high, standard_error=loss.standard_error)
