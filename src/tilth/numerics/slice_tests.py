"""Tests that rows of a group are worse than the rest.

Right or wrong: Fisher's exact test. Other losses: the larger of Welch's test and a bound that holds for any law, by drawing
the group's n of N rows without putting back:

    P(mean of n >= x) <= exp(-n sup_t (t x - log mean_i exp(t l_i)))     the same for the N - n rows outside, and for
                                                                         one coin per row, given that n come up

Where rows come in groups, the p-value is at least that of `grouped_tests`, which takes rows of a group together.

Source: Fisher (1934), Statistical Methods for Research Workers, 5th ed., 21.02. Hoeffding (1963), Probability inequalities for
sums of bounded random variables, JASA 58, theorem 4 (drawing without putting back is no more variable).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.numerics.distributions import normal_tail, student_tail
from tilth.numerics.grouped_tests import grouped_gap, grouped_stratified_tail

__all__ = ["Losses", "hypergeometric_tail", "stratified_tail"]

_GROUPS = 300
_TERMS = 4096


def hypergeometric_tail(k: int, drawn: int, marked: int, total: int) -> float:
    """Return the chance that of `drawn` rows out of `total`, `marked` of which are wrong, at least k are: Fisher's p-value.

    Exact; the terms are added from k on until they no longer count. O(k) at most.

    Parameters
    ----------
    k : wrong rows drawn
    drawn, marked, total : rows drawn, wrong rows, all rows

    Returns
    -------
    float
        In [0, 1].

    Source
    ------
    Fisher (1934), Statistical Methods for Research Workers.

    Examples
    --------
    >>> round(hypergeometric_tail(2, 2, 2, 4), 6)
    0.166667
    """
    last = min(drawn, marked)
    if k <= max(0, drawn + marked - total):
        return 1.0
    if k > last:
        return 0.0
    chance = 0.0
    for start in range(k, last + 1, _TERMS):
        x = np.arange(start, min(start + _TERMS, last + 1), dtype=np.float64)
        logs = _log_choose(marked, x) + _log_choose(total - marked, drawn - x) - _log_choose(total, float(drawn))
        part = float(np.exp(logs).sum())
        chance += part
        if part <= 1e-12 * chance and start > drawn * marked / total:
            break
    return min(1.0, chance)


def _log_choose(n: float, k: Vector | float) -> Vector:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(np.add(k, 1)) - special.gammaln(np.subtract(n + 1, k)))


class Losses:
    """The losses of some rows, ready for tests of many groups among them.

    Parameters
    ----------
    losses : (n,) how bad each row is, >= 0
    groups : (n,) code of the group of each row; None where rows are independent

    Examples
    --------
    >>> test = Losses(np.array([1.0, 1.0, 0.0, 0.0]))
    >>> round(test.p_value(np.array([True, True, False, False])), 6)
    0.166667
    """

    def __init__(self, losses: Vector, groups: IntVector | None = None) -> None:
        self.losses, self.groups = np.asarray(losses, dtype=np.float64), groups
        self.top = float(self.losses.max(initial=0.0))
        self.is_binary = bool(((self.losses == 0) | (self.losses == self.top)).all())
        self._law: tuple[Vector, Vector, Vector] | None = None

    def p_value(self, inside: Mask) -> float:
        """Return the p-value of "the rows inside are no worse than the others"; (n,) -> [0, 1]; 1 for none or all of them."""
        n, total = int(np.count_nonzero(inside)), len(self.losses)
        if n in (0, total) or self.top == 0:
            return 1.0
        together = 0.0 if self.groups is None else grouped_gap(self.losses, inside, self.groups).p_value
        if self.is_binary:
            return max(together, self._exact(inside))
        return max(together, self._welch(inside), self._bound(float(self.losses[inside].mean()), n))

    def _exact(self, inside: Mask) -> float:
        n, total = int(np.count_nonzero(inside)), len(self.losses)
        wrong, bad = int(np.count_nonzero(self.losses[inside])), int(np.count_nonzero(self.losses))
        return hypergeometric_tail(wrong, n, bad, total)

    def is_worse(self, inside: Mask, tail: float) -> bool:
        """Whether the p-value is at most `tail`; what is not needed to know that is not computed; (n,)."""
        n, total = int(np.count_nonzero(inside)), len(self.losses)
        if n in (0, total) or self.top == 0 or self.is_binary:
            return self.p_value(inside) <= tail
        if self._welch(inside) > tail:
            return False
        if self.groups is not None and grouped_gap(self.losses, inside, self.groups).p_value > tail:
            return False
        return any(bound() <= tail for bound in self._bounds(float(self.losses[inside].mean()), n))

    def _welch(self, inside: Mask) -> float:
        one, other = self.losses[inside], self.losses[~inside]
        gap = float(one.mean() - other.mean())
        if len(one) < 2 or len(other) < 2:
            return 1.0
        parts = np.array([one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)])
        if parts.sum() == 0:
            return 0.0 if gap > 0 else 1.0
        df = parts.sum() ** 2 / (parts**2 / np.array([len(one) - 1, len(other) - 1])).sum()
        return float(student_tail(gap / np.sqrt(parts.sum()), df))

    def _bound(self, mean: float, n: int) -> float:
        """Return the smallest of the bounds of the chance that n rows have such a mean."""
        return min(bound() for bound in self._bounds(mean, n))

    def _bounds(self, mean: float, n: int) -> list[Callable[[], float]]:
        """Return three bounds of the same event, cheap ones first: by the rows inside, by those outside, by coins per row."""
        total, whole = len(self.losses), float(self.losses.mean())
        if mean <= whole:
            return [lambda: 1.0]
        rest = (whole * total - mean * n) / (total - n)
        return [
            lambda: self._tilted(mean, n, 1.0),
            lambda: self._tilted(rest, total - n, -1.0),
            lambda: self._coins(mean, n),
        ]

    def _tilted(self, mean: float, n: int, sign: float) -> float:
        """Return exp(-n sup_t (t x - K(t))), t of one sign; any t gives a valid bound."""
        weights, highs, lows = self._groups()
        apart = sign * ((highs if sign > 0 else lows) - mean) / self.top

        def cost(t: float) -> float:
            tilted = t * apart
            top = float(tilted.max())
            return n * (top + float(np.log(weights @ np.exp(tilted - top))))

        return float(np.exp(min(0.0, _least(cost))))

    def _coins(self, mean: float, n: int) -> float:
        """Return the bound of a draw by one coin per row, given that n come up: inf E exp(t (S - s) + u (n' - n)) / P(n' = n)."""
        weights, highs, _ = self._groups()
        total = len(self.losses)
        share, values = n / total, (highs - mean) / self.top
        chance = _log_choose(total, float(n)) + n * np.log(share) + (total - n) * np.log1p(-share)

        def cost(t: float) -> float:
            lean = special.logit(share)
            tilted = t * values
            start = -tilted.max()
            low, high = start - 20.0, -tilted.min() + 20.0
            for _ in range(45):  # the lean with which n coins are expected to come up
                middle = (low + high) / 2
                low, high = (middle, high) if weights @ special.expit(lean + tilted + middle) < share else (low, middle)
            moved = tilted + (low + high) / 2
            log_all = np.logaddexp(np.log1p(-share), np.log(share) + moved)
            return float(total * (weights @ log_all) - n * (low + high) / 2)

        return float(np.exp(min(0.0, _least(cost) - float(chance))))

    def _groups(self) -> tuple[Vector, Vector, Vector]:
        """Return shares, greatest and least losses of groups of like rows, the finer the farther out: bounds of the law."""
        if self._law is None:
            n = len(self.losses)
            order = np.sort(self.losses)
            far = np.geomspace(1, n, _GROUPS)
            cuts = np.unique(np.concatenate([[0], np.linspace(0, n, _GROUPS), n - far, far, [n]]).astype(np.intp))
            self._law = np.diff(cuts) / n, order[cuts[1:] - 1], order[cuts[:-1]]
        return self._law


def stratified_tail(losses: Vector, inside: Mask, others: Sequence[Mask], groups: IntVector | None = None) -> float:
    """Return the p-value of rows being no worse than the rows that lie in just the same of other groups.

    z = sum_s (losses inside - n_s mean_s) / sqrt(sum_s variance of a draw of n_s of the N_s rows), over the patterns s of
    membership in the others; by the normal law. 1 where no pattern has rows of both kinds. O(n groups).

    Parameters
    ----------
    losses : (n,) how bad each row is
    inside : (n,) the group
    others : (n,) each; at most 60
    groups : (n,) code of the group of each row; None where rows are independent

    Source
    ------
    Mantel, Haenszel (1959), Statistical aspects of the analysis of data from retrospective studies of disease, JNCI 22.

    Examples
    --------
    >>> losses = np.array([1.0, 1, 1, 0, 0, 0] * 20)
    >>> stratified_tail(losses, losses > 0, [losses > 0])
    1.0
    """
    code = np.zeros(len(losses), dtype=np.int64)
    for number, other in enumerate(others):
        code |= other.astype(np.int64) << number
    _, pattern = np.unique(code, return_inverse=True)
    rows = np.bincount(pattern).astype(np.float64)
    held = np.bincount(pattern, weights=inside)
    mean = np.bincount(pattern, weights=losses) / rows
    spread = np.bincount(pattern, weights=(losses - mean[pattern]) ** 2) / np.maximum(rows - 1, 1)
    variance = float((held * (rows - held) / rows * spread).sum())
    if variance <= 0:
        return 1.0
    excess = float((losses[inside] - mean[pattern[inside]]).sum())
    together = 0.0 if groups is None else grouped_stratified_tail(losses, inside, pattern, groups)
    return max(together, float(normal_tail(excess / np.sqrt(variance))))


def _least(cost: Callable[[float], float]) -> float:
    """Return the least value of a convex function of a positive number, nearly: a golden section."""
    low, high = 0.0, 1.0
    while cost(high) < cost(high / 2) and high < 1e9:
        high *= 2
    golden = (np.sqrt(5) - 1) / 2
    points = [high - golden * (high - low), low + golden * (high - low)]
    costs = [cost(point) for point in points]
    for _ in range(32):
        if costs[0] < costs[1]:
            high, points[1], costs[1] = points[1], points[0], costs[0]
            points[0] = high - golden * (high - low)
            costs[0] = cost(points[0])
        else:
            low, points[0], costs[0] = points[0], points[1], costs[1]
            points[1] = low + golden * (high - low)
            costs[1] = cost(points[1])
    return min(costs)
