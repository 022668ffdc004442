"""The gain of an edit from a few answers, with the help of predictions of what the answers on all rows would be.

Of the rows on which the models before and after disagree, some are drawn at random and answered. For every such row,
answered or not, there is something that foretells the answer: what the given label says, what a model says. A linear
regression on the answered rows and the known means over all of them take out of the error what can be foretold. The draw
alone makes the estimate right: predictions that are worthless or biased cost precision, not honesty.

Source: Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, 6.4-6.6 (general regression estimator).
Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023), Prediction-powered inference, Science 382.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics.distributions import student_point, student_tail
from tilth.numerics.paired_tests import PairedResult

if TYPE_CHECKING:
    from tilth.core.arrays import Mask, Matrix, Vector

__all__ = ["ENOUGH_ANSWERS", "assisted_answers_to_decide", "assisted_gain", "foretold_share"]

ENOUGH_ANSWERS = 30
"""Answers from which on a regression on a few columns is worth its degrees of freedom."""
ONE_SURPRISE = 2.0
"""Squared error of one row foretold wrong; added to those seen, so that luck does not make predictions perfect."""


def assisted_gain(
    differences: Vector, answered: Mask, predictors: Matrix, n_dev: int, level: float = 0.95
) -> PairedResult:
    """Return the gain in accuracy on fresh rows and the one-sided p-value of no gain, by answers and predictions.

    With D disagreeing of N dev rows, f = D / N, a answers, slopes b of the answered differences on the predictors, residual
    variance s^2 with a - 1 - p degrees of freedom and h the leverage of the predictors' mean over all D rows,

        gain      f (mean(d) + (mean_D(x) - mean_answered(x)) b)
        variance  f^2 s^2 (1 - a / D) (1 / a + h) + (f q - gain^2) / N

    where q is the share of disagreeing rows on which one of the models is right. The first part is the error of having asked
    only some, the second that of the dev rows as a sample of rows to come. Student's t with a - 1 - p degrees of freedom.
    O(D p^2).

    Parameters
    ----------
    differences : (D,) after correct minus before correct, in {-1, 0, 1}; only those of answered rows are read
    answered : (D,) which rows were answered, drawn at random from the D
    predictors : (D, p) finite; made without the answers, the same way for answered rows and others
    n_dev : number of dev rows, >= D
    level : coverage of the interval, in (0, 1); default 0.95

    Returns
    -------
    PairedResult
        Gain in [-1, 1], its standard error, interval and p-value.

    Raises
    ------
    InputError
        With fewer than `ENOUGH_ANSWERS` answers, or shapes and counts that do not fit.

    Source
    ------
    Särndal, Swensson, Wretman (1992), Model Assisted Survey Sampling, 6.4-6.6; one surprise is added to the residuals.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.choice([-1.0, 1.0], 400, p=[0.3, 0.7])
    >>> asked = np.arange(400) < 60
    >>> plain = assisted_gain(truth, asked, np.zeros((400, 1)), 4000)
    >>> helped = assisted_gain(truth, asked, truth[:, None] + rng.normal(size=(400, 1)), 4000)
    >>> helped.standard_error < plain.standard_error
    True
    """
    d, known, x = np.asarray(differences, dtype=np.float64), np.asarray(answered, dtype=bool), _columns(predictors)
    _check(d, known, x, n_dev)
    seen, share = d[known], d.size / n_dev
    inside = _independent(x[known] - x[known].mean(axis=0))
    x = x[:, inside]
    centred, step = x[known] - x[known].mean(axis=0), x.mean(axis=0) - x[known].mean(axis=0)
    inverse = np.linalg.pinv(centred.T @ centred)
    slopes = inverse @ (centred.T @ (seen - seen.mean()))
    freedom = seen.size - 1 - x.shape[1]
    residuals = seen - seen.mean() - centred @ slopes
    variance = (float(residuals @ residuals) + ONE_SURPRISE) / freedom
    gain = share * (float(seen.mean()) + float(step @ slopes))
    asked = share**2 * variance * (1 - seen.size / d.size) * (1 / seen.size + float(step @ inverse @ step))
    decisive = (float(np.abs(seen).sum()) + 1) / (seen.size + 1)
    error = math.sqrt(asked + max(0.0, share * decisive - gain**2) / n_dev)
    reach = error * float(student_point((1 - level) / 2, freedom))
    return PairedResult(
        gain=gain,
        standard_error=error,
        low=max(-1.0, gain - reach),
        high=min(1.0, gain + reach),
        p_value=float(student_tail(gain / error, freedom)),
    )


def assisted_answers_to_decide(
    gain: float,
    decisive: float,
    n_disagreeing: int,
    n_dev: int,
    alpha: float,
    *,
    foretold: float,
    power: float = 0.8,
) -> int | None:
    """Return how many answers, drawn from the rows where the models disagree, decide an edit by `assisted_gain`.

    The least a from `ENOUGH_ANSWERS` on with gain >= (t_{1 - alpha} + t_{power}) times the standard error to be expected:

        variance  f^2 (decisive - mean^2) (1 - foretold) (1 - a / D) / a + (f decisive - gain^2) / N

    Bisection over a. Asking more than D is not possible, and the second part remains even then.

    Parameters
    ----------
    gain : expected gain in accuracy, in [0, D / N]
    decisive : share of the disagreeing rows on which one of the two models is right, in (0, 1]
    n_disagreeing : D, number of dev rows on which the models disagree
    n_dev : N, number of dev rows, >= D
    alpha : level at which the edit is decided, in (0, 1)
    foretold : share of the variance that predictions take out, in [0, 1]: `foretold_share`
    power : chance that the answers decide if the gain is as expected, in (0, 1); default 0.8

    Returns
    -------
    int or None
        In [ENOUGH_ANSWERS, D]; None where even all of them would not do.

    Raises
    ------
    InputError
        With numbers outside the ranges above.

    Examples
    --------
    >>> [assisted_answers_to_decide(0.02, 0.8, 400, 4000, 0.01, foretold=share) for share in (0.0, 0.6)]
    [200, 119]
    """
    if not (
        1 <= n_disagreeing <= n_dev and 0 < decisive <= 1 and 0 <= foretold <= 1 and 0 < alpha < 1 and 0 < power < 1
    ):
        raise InputError("shares and levels lie between 0 and 1, and the rows of disagreement are dev rows")
    share = n_disagreeing / n_dev
    mean = min(decisive, gain / share)
    spread = max(0.0, decisive - mean**2) * (1 - foretold)
    rest = max(0.0, share * decisive - gain**2) / n_dev

    def enough(a: int) -> bool:
        freedom = a - 3
        asked = share**2 * (spread + ONE_SURPRISE / freedom) * (1 - a / n_disagreeing) / a
        reach = float(student_point(alpha, freedom) + student_point(1 - power, freedom))
        return gain >= reach * math.sqrt(asked + rest)

    low, high = ENOUGH_ANSWERS - 1, n_disagreeing
    if high <= low or gain <= 0 or not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def foretold_share(expected: Vector, decisive: float) -> float:
    """Return which share of the variance of differences their expectations would take out, if they are calibrated.

    Parameters
    ----------
    expected : (D,) expected difference of each disagreeing row, in [-1, 1]
    decisive : share of these rows on which one of the two models is right, in [0, 1]

    Returns
    -------
    float
        In [0, 1]: Var(expected) / (decisive - mean(expected)^2).

    Examples
    --------
    >>> round(foretold_share(np.array([0.5, -0.5]), 1.0), 2)
    0.25
    """
    values = np.asarray(expected, dtype=np.float64)
    whole = decisive - float(values.mean()) ** 2 if values.size else 0.0
    return min(1.0, float(values.var()) / whole) if whole > 0 else 0.0


def _columns(predictors: Matrix) -> Matrix:
    x = np.asarray(predictors, dtype=np.float64)
    return x[:, None] if x.ndim == 1 else x


def _independent(centred: Matrix) -> list[int]:
    """Columns that vary, and are no combination of those before them."""
    chosen: list[int] = []
    for column in range(centred.shape[1]):
        if np.linalg.matrix_rank(centred[:, [*chosen, column]]) > len(chosen):
            chosen.append(column)
    return chosen


def _check(differences: Vector, answered: Mask, predictors: Matrix, n_dev: int) -> None:
    if not (differences.ndim == 1 and answered.shape == differences.shape and len(predictors) == differences.size):
        raise InputError("each row where the models disagree has one difference, one mark and one row of predictors")
    if answered.sum() < ENOUGH_ANSWERS or answered.sum() <= predictors.shape[1] + 2:
        raise InputError(f"{answered.sum()} answers; a regression on answers needs {ENOUGH_ANSWERS} or more")
    if n_dev < differences.size:
        raise InputError(f"{differences.size} rows of disagreement do not fit {n_dev} dev rows")
    if not np.isfinite(predictors).all():
        raise InputError("predictors must be finite")
