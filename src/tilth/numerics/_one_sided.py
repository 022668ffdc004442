"""One-sided p-values of a mean of independent units: exact for wins and losses, by signs, by a guarded t."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.numerics.distributions import binomial_tail, normal_tail, student_tail

if TYPE_CHECKING:
    from tilth.core.arrays import Vector
    from tilth.numerics._means import Bounds, UnitMean

__all__ = ["exact_binomial", "sign_flip", "skew_t"]

_TILTS = (0.0, 1.5, 3.0, 4.5, 6.0)
_SIGNS_AT_ONCE = 4_000_000


def exact_binomial(wins: int, losses: int) -> float:
    """Return the p-value of McNemar's exact test: P(Bin(wins + losses, 1/2) >= wins).

    Given how many rows differ, wins are binomial; under "wins are no likelier than losses" the size is at
    most alpha for every n. The observed count is in the p-value with its whole probability (mid-p, which
    takes half of it, is not valid).

    Parameters
    ----------
    wins, losses : numbers of rows where only the candidate, or only the other model, is right

    Returns
    -------
    float
        p-value in (0, 1], 0 only by underflow; 1 when no row differs.

    Source
    ------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12.

    Examples
    --------
    >>> exact_binomial(5, 0)
    0.03125
    """
    return float(binomial_tail(wins - 1, wins + losses, 0.5))


def sign_flip(contributions: Vector, rng: np.random.Generator, *, n_flips: int = 1999) -> float:
    """Return the p-value of the sum of the contributions under random signs.

    H0: the law of the contributions does not change when any of their signs are flipped. Exactly valid then,
    however few contributions differ from zero. The sum of squares is the same for all signs, so the sum and
    its studentised form give one test.

    Signs are drawn from a mixture of tilted coins, P(+ for unit g) = 1 / (1 + exp(-2 l |s_g|)), with l such
    that the sum lies 0 … 6 standard deviations out, and weighted back by w(T) = 1 / mean_l exp(l T - sum_g
    log cosh(l s_g)):

        p = (w(T) + sum_b w(T_b) [T_b >= T]) / (n_flips + 1)

    The first term is the +1 that keeps a Monte Carlo p-value valid. The tilts reach p-values far below 1 /
    n_flips, which the error budget of late runs needs. O(n_flips units) time, bounded memory. The order of
    the contributions does not matter.

    Parameters
    ----------
    contributions : (units,) what each independent row or group adds to the mean
    rng : generator of the signs
    n_flips : number of draws; 1999 holds the Monte Carlo error of a small p-value near a tenth of it

    Returns
    -------
    float
        p-value in (0, 1].

    Randomness
    ----------
    The generator decides everything.

    Source
    ------
    Harrison (2012), Conservative hypothesis tests and confidence intervals using importance sampling,
    Biometrika 99. Phipson, Smyth (2010), Permutation p-values should never be zero, Statistical Applications
    in Genetics and Molecular Biology 9.

    Examples
    --------
    >>> sign_flip(np.zeros(5), np.random.default_rng(0))
    1.0
    """
    observed = float(contributions.sum())
    size = np.sort(np.abs(contributions[contributions != 0]))
    if size.size == 0:
        return 1.0
    size, observed = size / size[-1], observed / float(size[-1])
    tilts = np.array(_TILTS) / np.sqrt(size @ size)
    cumulants = np.array([_log_cosh(tilt * size).sum() for tilt in tilts])
    counts = rng.multinomial(n_flips, np.full(len(tilts), 1 / len(tilts)))
    draws = zip(tilts, counts, strict=True)
    sums = np.concatenate([_tilted_sums(size, float(tilt), int(count), rng) for tilt, count in draws])
    # Ties count as reached, whatever the rounding of the sums.
    reached = sums[sums >= observed - 1e-9 * size.sum()]
    return min(1.0, float(_weight_back(np.append(reached, observed), tilts, cumulants).sum() / (n_flips + 1)))


def skew_t(parts: UnitMean, least: float = 0.0, bounds: Bounds | None = None) -> float:
    """Return the p-value of a mean by Student's t, guarded against losses that the sample may have missed.

    Plain t keeps too much where rare losses are great: most samples hold none of them. So one more loss is
    added, as great as the greatest contribution seen, and at least what the bounds let the heaviest row lose;
    with it, W = (mean - least) / standard error, and k is the skewness of the mean. Where k < 0, Hall's g(W)
    = ((1 + k W / 3)^3 - 1) / k + k / 6 removes the skewness to first order; where k > 0, plain t errs on the
    safe side. The smaller of W and g(W) meets Student's t. The price is about max |s_g| / sqrt(sum s_g^2)
    standard errors. O(units).

    Parameters
    ----------
    parts : the mean with its units
    least : the mean under H0
    bounds : least and greatest value that one row can take, or None

    Returns
    -------
    float
        p-value in [0, 1]; 1/2 or more where nothing is known of the spread.

    Source
    ------
    Fay, Feuer (1997), Confidence intervals for directly standardized rates: a method based on the gamma
    distribution, Statistics in Medicine 16 (the added loss). Hall (1992), On the removal of skewness by
    transformation, Journal of the Royal Statistical Society B 54.

    Examples
    --------
    >>> from tilth.numerics._means import unit_mean
    >>> skew_t(unit_mean(np.arange(30.0) - 5)) < 0.001
    True
    """
    statistic = parts.with_one_more_loss(least, bounds).skew_corrected
    return float(student_tail(statistic, parts.df) if parts.df > 0 else normal_tail(statistic))


def _log_cosh(x: Vector) -> Vector:
    """Return log cosh x for x >= 0 without overflow."""
    return np.asarray(x + np.log1p(np.exp(-2 * x)) - np.log(2))


def _tilted_sums(size: Vector, tilt: float, n_flips: int, rng: np.random.Generator) -> Vector:
    """Draw signed sums of the sizes with P(+) = 1 / (1 + exp(-2 tilt size)), a block of draws at a time."""
    plus, step = 1 / (1 + np.exp(-2 * tilt * size)), max(1, _SIGNS_AT_ONCE // len(size))
    sums = np.empty(n_flips)
    for start in range(0, n_flips, step):
        block = rng.random((min(step, n_flips - start), len(size))) < plus
        sums[start : start + len(block)] = 2 * (block @ size) - size.sum()
    return sums


def _weight_back(sums: Vector, tilts: Vector, cumulants: Vector) -> Vector:
    """Return the null probability of signed sums over that of the mixture."""
    exponents = np.outer(sums, tilts) - cumulants
    top = exponents.max(axis=1)
    return np.asarray(np.exp(-top) / np.exp(exponents - top[:, None]).mean(axis=1))
