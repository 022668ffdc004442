"""Exact one-sided tests of a share, and of the difference of two shares of one set of rows, against any threshold.

A share is binomial. The difference of two models' accuracies on the same n rows is (W − L) / n, with W rows that only the new
model gets right and L that only the old one does: D = W + L ~ Bin(n, d), and given D, W ~ Bin(D, (1 + c / d) / 2) where c is the
true difference. The share d of rows that differ is not known; the p-value is the largest over a confidence interval for d, plus
the chance that this interval misses it.

Source: Clopper, Pearson (1934), Biometrika 26; Berger, Boos (1994), P values maximized over a confidence set for the nuisance
parameter, JASA 89.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics.distributions import binomial_tail

__all__ = ["difference_above", "lowest_consistent", "share_above", "share_ends", "tail_of_difference"]

_SPREAD = 12.0
"""Standard deviations of D that are summed over; what lies outside is below 1e-30."""
_GRID = 3
_MISS = 0.05
"""Part of the level that is spent on the interval for d."""


def share_above(successes: int, n: int, least: float) -> float:
    """Return the p-value of "the share is at most `least`": P(Bin(n, least) >= successes). O(1).

    Examples
    --------
    >>> round(share_above(5, 5, 0.5), 5)
    0.03125
    """
    _check(successes, n)
    if least < 0:
        return 0.0
    return 1.0 if least >= 1 else float(binomial_tail(successes - 1, n, least))


def share_ends(successes: int, n: int, tail: float) -> tuple[float, float]:
    """Return both one-sided limits of a share, each missed with chance `tail` at most (Clopper, Pearson). O(1).

    Examples
    --------
    >>> [round(end, 4) for end in share_ends(0, 10, 0.05)]
    [0.0, 0.2589]
    """
    _check(successes, n)
    from scipy.special import betaincinv

    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def tail_of_difference(surplus: float, n: int, changed: float, truth: float) -> float:
    """Return P(W − L >= surplus) where a share `changed` of n rows differs, and the true difference is `truth`.

    O(sqrt(n changed)) time.

    Parameters
    ----------
    surplus : least number of wins minus losses, in [-n, n]
    n : number of rows, >= 1
    changed : chance that a row differs, in [|truth|, 1]
    truth : true difference, in [-1, 1]

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> tail_of_difference(2, 2, 1.0, 0.0)
    0.25
    """
    from scipy.special import gammaln, xlog1py, xlogy

    changed = min(1.0, max(changed, abs(truth)))
    if changed == 0:
        return float(surplus <= 0)
    sd = np.sqrt(n * changed * (1 - changed))
    low = max(0, int(np.floor(n * changed - _SPREAD * sd - _SPREAD**2)))
    high = max(n * changed + _SPREAD * sd, float(surplus)) + _SPREAD**2
    differing = np.arange(low, min(n, int(np.ceil(high))) + 1)
    log_weight = (
        gammaln(n + 1)
        - gammaln(differing + 1)
        - gammaln(n - differing + 1)
        + xlogy(differing, changed)
        + xlog1py(n - differing, -changed)
    )
    wins = np.ceil((differing + surplus) / 2 - 1e-9)
    reached = binomial_tail(wins - 1, differing, (1 + truth / changed) / 2)
    return min(1.0, float(np.exp(log_weight) @ reached))


def difference_above(wins: int, losses: int, n: int, least: float, level: float) -> float:
    """Return the p-value of "the new model is better by at most `least`", valid at `level` whatever share of rows differs.

    Parameters
    ----------
    wins, losses : rows that only the new model, or only the old one, gets right
    n : number of rows
    least : the difference that must be exceeded, in [-1, 1]
    level : chance of error that the p-value will be compared with, in (0, 1)

    Returns
    -------
    float
        p-value in (0, 1].

    Raises
    ------
    InputError
        With more wins and losses than rows, or no row.

    Source
    ------
    Berger, Boos (1994), JASA 89.

    Examples
    --------
    >>> difference_above(60, 20, 1000, 0.0, 0.01) < 0.001
    True
    """
    _check(wins + losses, n)
    if least >= 1:
        return 1.0
    if least < -1:
        return 0.0
    missed = _MISS * level
    low, high = share_ends(wins + losses, n, missed / 2)
    shares = np.linspace(max(low, abs(least)), max(high, abs(least)), _GRID)
    return min(1.0, max(tail_of_difference(wins - losses, n, float(d), least) for d in shares) + missed)


def lowest_consistent(p_above: Callable[[float], float], level: float, low: float, high: float) -> float:
    """Return the greatest threshold that is still exceeded at `level`: the lower limit of a confidence set, by bisection.

    Parameters
    ----------
    p_above : threshold -> p-value of "no more than it", rising with the threshold
    level : chance that the limit lies above the truth
    low, high : ends between which it is looked for; `low` where even that is not exceeded

    Returns
    -------
    float
        In [low, high].

    Examples
    --------
    >>> round(lowest_consistent(lambda least: share_above(8, 10, least), 0.05, 0.0, 1.0), 3)
    0.493
    """
    if p_above(low) > level:
        return low
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if p_above(middle) <= level else (low, middle)
        if high - low < 1e-5:
            break
    return low


def _check(count: int, n: int) -> None:
    if not 0 <= count <= n or n < 1:
        raise InputError(f"{count} of {n} rows is not a share", next_step="give at least one row")
