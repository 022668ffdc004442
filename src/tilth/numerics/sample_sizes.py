"""How many test rows a condition needs: so many that its sum is known to a tolerance, at a chance of error, however often it is asked.

With t the chance of error on one side of one look:

    Hoeffding    n = w² ln(1/t) / (2 ε²)                    rows within a width w; needs to know nothing
    Bennett      n = ln(1/t) / (v/b² · h(b ε / v))          |row| <= b, mean square <= v, h(u) = (1 + u) ln(1 + u) − u
    exact        the least n with P(estimate >= c + ε | truth = c) <= t, by the binomial law

n − o of accuracies has b = 1 and v = d, the share of rows on which the models differ: with d <= 0.1 Bennett needs a tenth of
Hoeffding's rows, and only the rows that differ need a label at all.

Source: Renggli, Karlaš, Ding, Liu, Schawinski, Wu, Zhang (2019), ease.ml/ci, MLSys, sections 3 and 4; Hoeffding (1963), JASA 58;
Bennett (1962), JASA 57.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

from tilth.core.errors import InputError
from tilth.numerics.distributions import binomial_tail
from tilth.numerics.exact_sides import tail_of_difference

__all__ = [
    "Adaptivity",
    "bennett_rows",
    "exact_difference_rows",
    "exact_share_rows",
    "hoeffding_rows",
    "observed_rows",
    "share_of_look",
]

LARGEST = 1 << 40


class Adaptivity(StrEnum):
    """What the makers of later models know of earlier looks.

    none : nothing that test rows said decides what is tried next; first_change : the test rows are given up once a condition has
    passed, until then nothing but "not passed" was heard; full : every verdict may decide what is tried next.
    """

    NONE = "none"
    FIRST_CHANGE = "first_change"
    FULL = "full"


def share_of_look(look: int, looks: int, adaptivity: Adaptivity = Adaptivity.NONE, outcomes: int = 2) -> float:
    """Return what the chance of error is multiplied by for one look of so many, so that all of them err as promised.

    Without adaptivity, and until the first change, H models can be asked about: each look gets 1 / H. With full adaptivity, look
    k may be about any of outcomes^(k − 1) models, one for each course of the verdicts before it: each of them gets one part of
    the sum over all looks.

    Parameters
    ----------
    look : number of the look, from 1 to `looks`
    looks : how many there will be, >= 1
    adaptivity : see `Adaptivity`
    outcomes : verdicts that a look may have; 2, or 3 where "undecided" is told from "failed"

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    InputError
        With a number of looks that is none.

    Source
    ------
    Renggli et al. (2019), ease.ml/ci, section 3.2.

    Examples
    --------
    >>> share_of_look(1, 4), share_of_look(2, 4, Adaptivity.FULL) == 1 / 15
    (0.25, True)
    """
    if not 1 <= look <= looks:
        raise InputError(f"look {look} is none of {looks}", next_step="count looks from 1")
    if adaptivity is Adaptivity.FULL:
        return 1.0 / float(sum(outcomes**k for k in range(looks)))
    return 1 / looks


def hoeffding_rows(width: float, tolerance: float, tail: float) -> int:
    """Return the rows for a mean of rows within a width; nothing else need be known. O(1).

    Examples
    --------
    >>> hoeffding_rows(1.0, 0.01, 0.001)
    34539
    """
    _check(tolerance, tail)
    return math.ceil(width**2 * math.log(1 / tail) / (2 * tolerance**2))


def bennett_rows(second_moment: float, tolerance: float, tail: float, largest: float = 1.0) -> int:
    """Return the rows for a mean of rows of at most `largest`, whose mean square is at most `second_moment`. O(1).

    Examples
    --------
    >>> bennett_rows(0.1, 0.01, 0.0001 / 4)
    21889
    """
    _check(tolerance, tail)
    if not second_moment > 0:
        raise InputError("the mean square of the rows must be above 0", next_step="give the share of rows that change")
    v = min(second_moment, largest**2) / largest**2
    u = tolerance / largest / v
    return math.ceil(math.log(1 / tail) / (v * ((1 + u) * math.log1p(u) - u)))


def exact_share_rows(share: float, tolerance: float, tail: float) -> int:
    """Return the rows for a share of rows near `share`, by the binomial law on both sides. O(log n).

    Examples
    --------
    >>> 14_000 < exact_share_rows(0.8, 0.01, 0.001) < 16_000
    True
    """
    _check(tolerance, tail)

    def errs(n: int) -> float:
        up = binomial_tail(math.ceil(n * (share + tolerance) - 1e-9) - 1, n, share)
        down = binomial_tail(math.ceil(n * (1 - share + tolerance) - 1e-9) - 1, n, 1 - share)
        return max(float(up), float(down))

    return _least(errs, tail)


def exact_difference_rows(changed: float, tolerance: float, tail: float, threshold: float = 0.0) -> int:
    """Return the rows for the difference of two accuracies near `threshold`, where a share `changed` of rows differs.

    The least n, up to the steps of a discrete law, with P((W − L) / n >= c ± ε) <= tail on both sides. Only rows that differ
    need a label: about n · changed. O(sqrt(n) log n).

    Examples
    --------
    >>> 9_000 < exact_difference_rows(0.1, 0.01, 0.001) < 10_500
    True
    """
    _check(tolerance, tail)
    share = max(changed, abs(threshold))

    def errs(n: int) -> float:
        ends = (threshold + tolerance, -threshold + tolerance)
        truths = (threshold, -threshold)
        each = (
            tail_of_difference(math.ceil(n * end - 1e-9), n, share, truth)
            for end, truth in zip(ends, truths, strict=True)
        )
        return max(each)

    return _least(errs, tail)


def observed_rows(rows: int, half_width: float, tolerance: float) -> int:
    """Return the rows at which a confidence set that is now so wide on one side would be as narrow as the tolerance. O(1).

    Examples
    --------
    >>> observed_rows(1000, 0.04, 0.02)
    4000
    """
    return math.ceil(rows * (half_width / tolerance) ** 2)


def _least(errs: Callable[[int], float], tail: float) -> int:
    """Return the least number of rows with a small enough chance of error, by doubling and halving."""
    high = 1
    while errs(high) > tail:
        high *= 2
        if high > LARGEST:
            raise InputError("no number of rows is enough", next_step="give a larger tolerance")
    low = high // 2
    while high - low > max(1, high // 1000):
        middle = (low + high) // 2
        low, high = (low, middle) if errs(middle) <= tail else (middle, high)
    return high


def _check(tolerance: float, tail: float) -> None:
    if not (tolerance > 0 and 0 < tail < 1):
        raise InputError(
            f"a tolerance of {tolerance:g} at a chance of error of {tail:g} is no aim",
            next_step="give a tolerance above 0 and a chance between 0 and 1",
        )
