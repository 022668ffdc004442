"""What a trial can see: the least gain that dev rows detect, and how many answers would decide an edit.

Only rows on which the model before and the model after disagree can differ in correctness: on all others the
paired difference is zero, whatever the truth is. Hence the variance of a gain follows from the share of such
rows, and answers are needed on such rows only.
"""

from __future__ import annotations

import math

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics._answers import About, gain_from_answers
from tilth.numerics.distributions import student_point

__all__ = [
    "About",
    "answers_to_decide",
    "gain_from_answers",
    "least_detectable_difference",
    "least_detectable_gain",
    "power_of_exact_test",
]

_TAIL = 1e-9


def power_of_exact_test(n: int, disagreement_rate: float, gain: float, alpha: float) -> float:
    """Return the chance that McNemar's exact one-sided test finds a gain.

    Of n rows D ~ Bin(n, rate) differ in correctness, and given D the wins are Bin(D, (1 + gain / rate) / 2);
    the test rejects when P(Bin(D, 1/2) >= wins) <= alpha. The power is summed over D, leaving out 1e-9 in
    each tail. O(sqrt(n rate)).

    Parameters
    ----------
    n : number of rows, >= 1
    disagreement_rate : share of rows where exactly one model is right, in [|gain|, 1]
    gain : true gain in accuracy
    alpha : level of the test, in (0, 1)

    Returns
    -------
    float
        Power in [0, 1].

    Raises
    ------
    InputError
        With numbers outside the ranges above.

    Source
    ------
    McNemar (1947), Psychometrika 12; Duffy (1984), Asymptotic and exact power for the McNemar test,
    Biometrics 40.

    Examples
    --------
    >>> round(power_of_exact_test(5, 1.0, 1.0, 0.05), 6)
    1.0
    """
    _check(n=n, alpha=alpha)
    if not (0 <= disagreement_rate <= 1 and abs(gain) <= disagreement_rate):
        raise InputError(f"a gain of {gain} does not fit a disagreement of {disagreement_rate}")
    if disagreement_rate == 0:
        return 0.0
    from scipy import stats  # here alone: its import costs more than most commands

    low, high = (int(stats.binom.ppf(q, n, disagreement_rate)) for q in (_TAIL, 1 - _TAIL))
    differing = np.arange(low, high + 1)
    # The least number of wins whose p-value is at most alpha: binom.isf gives P(X > k) <= alpha first at k.
    needed = stats.binom.isf(alpha, differing, 0.5) + 1
    found = stats.binom.sf(needed - 1, differing, (1 + gain / disagreement_rate) / 2)
    return min(1.0, float(np.dot(stats.binom.pmf(differing, n, disagreement_rate), found)))


def least_detectable_gain(disagreement_rate: float, n_dev: int, alpha: float, power: float = 0.8) -> float:
    """Return the smallest true gain in accuracy that the paired test on dev finds with that power.

    Root in gain of `power_of_exact_test`. A gain cannot exceed the share of rows that differ, so beyond the
    rate given the share grows with the gain (every differing row is a win). The share of rows where
    *predictions* differ may stand for the share where *correctness* differs: it is at least as large, so the
    answer errs upwards.

    Parameters
    ----------
    disagreement_rate : share of dev rows on which the models before and after disagree, in [0, 1]
    n_dev : number of dev rows, >= 1 (fewer, n / design effect, where rows come in groups)
    alpha : what the p-value has to meet: the run's share of the error budget over its finalists
    power : chance of finding the gain, in (0, 1); default 0.8

    Returns
    -------
    float
        Gain in (0, 1]; 1 where so few rows can show no gain at all.

    Raises
    ------
    InputError
        With numbers outside the ranges above.

    Source
    ------
    Duffy (1984), Asymptotic and exact power for the McNemar test, Biometrics 40.

    Examples
    --------
    >>> round(least_detectable_gain(0.104, 4000, 0.05), 4)
    0.0129
    """
    _check(n=n_dev, alpha=alpha, power=power)
    if not 0 <= disagreement_rate <= 1:
        raise InputError(f"a share of rows lies between 0 and 1, not at {disagreement_rate}")

    def shortfall(gain: float) -> float:
        return power_of_exact_test(n_dev, max(gain, disagreement_rate), gain, alpha) - power

    if shortfall(1.0) < 0:
        return 1.0
    if shortfall(0.0) >= 0:
        return 0.0
    from scipy.optimize import brentq

    return float(brentq(shortfall, 0.0, 1.0, xtol=1e-7))


def least_detectable_difference(standard_deviation: float, n_dev: int, alpha: float, power: float = 0.8) -> float:
    """Return the smallest true mean difference that Student's one-sided test finds with that power.

    (t_{1 - alpha} + t_{power}) standard_deviation / sqrt(n), with n - 1 degrees of freedom: for scores such
    as log likelihood or absolute error.

    Parameters
    ----------
    standard_deviation : of the per-row paired differences, >= 0
    n_dev : number of dev rows, >= 2 (fewer, n / design effect, where rows come in groups)
    alpha : what the p-value has to meet
    power : chance of finding the difference, in (0, 1); default 0.8

    Returns
    -------
    float
        Difference >= 0, in the unit of the scores.

    Raises
    ------
    InputError
        With numbers outside the ranges above.

    Source
    ------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., 2.3.

    Examples
    --------
    >>> round(least_detectable_difference(1.0, 401, 0.05), 4)
    0.1244
    """
    _check(n=n_dev - 1, alpha=alpha, power=power)
    if not 0 <= standard_deviation < math.inf:
        raise InputError(f"a standard deviation is not negative: {standard_deviation}")
    critical = float(student_point(alpha, n_dev - 1) + student_point(1 - power, n_dev - 1))
    return max(0.0, critical) * standard_deviation / math.sqrt(n_dev)


def answers_to_decide(
    gain: float,
    disagreement_rate: float,
    n_disagreeing: int,
    alpha: float,
    power: float = 0.8,
    *,
    decisive: float = 1.0,
    about: About = "fresh_rows",
) -> int | None:
    """Return how many trusted answers, drawn from the rows where the models disagree, decide the edit.

    On such rows the mean difference is m = gain / disagreement_rate, and the sign of m is the sign of the
    gain, so the answers are judged by McNemar's exact test on them alone. The smallest number with the power
    asked for answers "does it help on fresh rows?": the rows asked are a sample from the source, and no
    correction for a finite population applies; more than n_disagreeing cannot be had. "Does it help on these
    dev rows?" needs fewer: a / (1 + (a - 1) / n_disagreeing).

    Parameters
    ----------
    gain : expected gain in accuracy; a loss needs as many answers as a gain of its size
    disagreement_rate : share of dev rows on which the two models disagree, in (0, 1]
    n_disagreeing : number of such rows that can be asked about
    alpha : level at which the edit is decided
    power : chance that the answers decide, if the gain is as expected; default 0.8
    decisive : share of the disagreeing rows on which one of the two models is right, in (0, 1]; default 1,
        the worst
    about : "fresh_rows" (what a verdict promises) or "dev_rows"

    Returns
    -------
    int or None
        Number of answers in [1, n_disagreeing]; None where even all of them would not do.

    Raises
    ------
    InputError
        With numbers outside the ranges above.

    Source
    ------
    McNemar (1947), Psychometrika 12. Cochran (1977), Sampling Techniques, 3rd ed., 4.5 (finite population).

    Examples
    --------
    >>> answers_to_decide(0.026, 0.104, 416, 0.05)
    102
    """
    _check(n=1, alpha=alpha, power=power)
    if not (0 < disagreement_rate <= 1 and 0 < decisive <= 1 and n_disagreeing >= 0):
        raise InputError("shares of rows lie between 0 and 1, and a number of rows is not negative")
    mean = min(1.0, abs(gain) / disagreement_rate)
    if about == "fresh_rows":
        return _fewest(mean, max(mean, decisive), alpha, power, n_disagreeing)
    # a / (1 + (a - 1) / N) < N for every a, so only the search needs an end.
    fewest = _fewest(mean, max(mean, decisive), alpha, power, 1000 * max(1, n_disagreeing))
    return None if fewest is None else min(n_disagreeing, math.ceil(fewest / (1 + (fewest - 1) / n_disagreeing)))


def _fewest(mean: float, decisive: float, alpha: float, power: float, most: int) -> int | None:
    """Return a number of answers with the power asked for, by bisection; None where `most` have too little.

    The power of an exact test is not quite monotone, so a smaller number may do as well; the one returned
    does.
    """

    def enough(answers: int) -> bool:
        return power_of_exact_test(answers, decisive, mean, alpha) >= power

    high = 1
    while high < most and not enough(high):
        high = min(most, 2 * high)
    if mean == 0 or most < 1 or not enough(high):
        return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(*, n: int, alpha: float, power: float = 0.5) -> None:
    if n < 1:
        raise InputError("too few rows", next_step="name more dev rows")
    if not (0 < alpha < 1 and 0 < power < 1):
        raise InputError(f"alpha and power lie between 0 and 1, not at {alpha} and {power}")
