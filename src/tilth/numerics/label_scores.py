"""How good labels with probabilities are against the truth: accuracy, F1 and negative log-likelihood, with intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.numerics.distributions import normal_point
from tilth.numerics.intervals import mean_interval, wilson

__all__ = ["LabelScores", "binary_f1", "label_scores", "macro_f1"]

_LEAST = 1e-12
"""A probability below it counts as it: one sure mistake does not make the whole likelihood infinite."""


class LabelScores(NamedTuple):
    """Scores with 95 % intervals; F1 of the second class where there are two, else the mean over classes."""

    accuracy: Estimate
    f1: Estimate
    nll: Estimate


def label_scores(labels: IntVector, pred_probs: Matrix, truth: IntVector) -> LabelScores:
    """Return accuracy, F1 and negative log-likelihood of labels. O(n k).

    Parameters
    ----------
    labels : (n,) class numbers that were given
    pred_probs : (n, k) probabilities that were given
    truth : (n,) class numbers

    Returns
    -------
    LabelScores
        Accuracy and F1 in [0, 1], higher is better; nll in nats per row, lower is better.

    Raises
    ------
    InputError
        Without rows.

    Source
    ------
    Intervals: Wilson (1927), JASA 22; F1 as in `binary_f1` and `macro_f1`; Student's for the likelihood.

    Examples
    --------
    >>> scores = label_scores(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 0]))
    >>> scores.accuracy.value, scores.f1.value, round(scores.nll.value, 4)
    (0.5, 0.0, 0.6931)
    """
    if not len(truth):
        raise InputError("there is no row to score")
    k = pred_probs.shape[1]
    losses = -np.log(np.maximum(pred_probs[np.arange(len(truth)), truth], _LEAST))
    return LabelScores(
        accuracy=wilson(float((labels == truth).sum()), len(truth)),
        f1=binary_f1(labels == 1, truth == 1) if k == 2 else macro_f1(labels, truth, k),
        nll=_at_least_zero(mean_interval(losses)),
    )


def binary_f1(said: np.ndarray, true: np.ndarray, level: float = 0.95) -> Estimate:
    """Return the F1 of one class: 2 s / (1 + s), s = share of hits among the rows where it is said or true.

    The interval is Wilson's for s, carried over: F1 grows with s. 1 where the class is neither said nor true anywhere.

    Parameters
    ----------
    said, true : (n,) whether the class is said, and whether it is true
    level : coverage, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        In [0, 1].

    Source
    ------
    van Rijsbergen (1979), Information Retrieval, chapter 7; Wilson (1927) for the share.

    Examples
    --------
    >>> binary_f1(np.array([True, True, False]), np.array([True, False, False])).value
    0.6666666666666666
    """
    hits, touched = float((said & true).sum()), float((said | true).sum())
    if not touched:
        return Estimate(value=1.0, low=0.0, high=1.0, standard_error=0.0)
    share = wilson(hits, touched, level)
    value, low, high = (2 * s / (1 + s) for s in (share.value, share.low, share.high))
    return Estimate(value=value, low=low, high=high, standard_error=2 / (1 + share.value) ** 2 * share.standard_error)


def macro_f1(labels: IntVector, truth: IntVector, n_classes: int, level: float = 0.95) -> Estimate:
    """Return the mean F1 over the classes that are said or true anywhere; its interval is of first order over rows.

    Parameters
    ----------
    labels, truth : (n,) class numbers
    n_classes : k
    level : coverage, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        In [0, 1].

    Source
    ------
    Takahashi, Yamamoto, Kuchiba, Koyama (2022), Confidence interval for micro-averaged F1 and macro-averaged F1 scores,
    Applied Intelligence 52 (the delta method).

    Examples
    --------
    >>> round(macro_f1(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1]), 3).value, 4)
    0.7778
    """
    said, true = np.bincount(labels, minlength=n_classes), np.bincount(truth, minlength=n_classes)
    right = labels == truth
    hits, touched = np.bincount(truth[right], minlength=n_classes), (said + true).astype(np.float64)
    there = touched > 0
    size, f1 = np.where(there, touched, 1.0), 2 * hits / np.where(there, touched, 1.0)
    influence = (2 * right / size[truth] - f1[labels] / size[labels] - f1[truth] / size[truth]) / there.sum()
    value, error = float(f1[there].mean()), float(np.sqrt((influence**2).sum()))
    half = float(normal_point((1 - level) / 2)) * error
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Estimate(value=value, low=min(low, value), high=max(high, value), standard_error=error)


def _at_least_zero(loss: Estimate) -> Estimate:
    return Estimate(value=loss.value, low=max(0.0, loss.low), high=loss.high, standard_error=loss.standard_error)
