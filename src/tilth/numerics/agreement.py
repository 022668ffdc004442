"""Agreement of labelers beyond chance, with intervals: Krippendorff's alpha, Fleiss' and Cohen's kappa, for classes.

Each is 1 where all agree, and 0 where they agree as often as their shares of answers would by chance. Intervals take rows for
independent: the variance is that of the rows' influences, to first order.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.numerics.distributions import normal_point

__all__ = ["cohen_kappa", "fleiss_kappa", "krippendorff_alpha"]


def krippendorff_alpha(counts: Matrix, level: float = 0.95) -> Estimate:
    """Return Krippendorff's alpha for classes; any number of votes per row.

    alpha = 1 - (N - 1) A / (N^2 - sum_c N_c^2), A = sum over rows of sum_c n_c (m - n_c) / (m - 1), over rows of m >= 2
    votes; N votes in all, N_c for class c. O(n k).

    Parameters
    ----------
    counts : (n, k) votes of each row for each class, >= 0
    level : coverage of the interval, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        At most 1; below 0 where labelers disagree more than by chance.

    Raises
    ------
    InputError
        No row has two votes, or all votes are for one class: there is nothing to agree on.

    Source
    ------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability, University of Pennsylvania, nominal data.

    Examples
    --------
    >>> round(krippendorff_alpha(np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 0.0]])).value, 3)
    0.533
    """
    counts = _paired(counts)
    m, of_class = counts.sum(axis=1), counts.sum(axis=0)
    n_votes, disagreement = float(m.sum()), (counts * (m[:, None] - counts)).sum(axis=1) / (m - 1)
    a, b = float(disagreement.sum()), n_votes**2 - float((of_class**2).sum())
    _refuse_one_class(b)
    change_of_b = 2 * n_votes * m - 2 * counts @ of_class
    influence = -(n_votes - 1) / b * disagreement - a / b * m + (n_votes - 1) * a / b**2 * change_of_b
    return _around(1 - (n_votes - 1) * a / b, influence, level)


def fleiss_kappa(counts: Matrix, level: float = 0.95) -> Estimate:
    """Return Fleiss' kappa; rows may have different numbers of votes, those with fewer than two are left out.

    kappa = (P - P_e) / (1 - P_e): P is the mean over rows of the share of pairs of votes that agree, P_e the sum of squared
    shares of the classes among all votes. O(n k).

    Parameters
    ----------
    counts : (n, k) votes of each row for each class, >= 0
    level : coverage of the interval, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        At most 1.

    Raises
    ------
    InputError
        No row has two votes, or all votes are for one class.

    Source
    ------
    Fleiss (1971), Measuring nominal scale agreement among many raters, Psychological Bulletin 76.

    Examples
    --------
    >>> round(fleiss_kappa(np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 0.0]])).value, 3)
    0.467
    """
    counts = _paired(counts)
    n, m = len(counts), counts.sum(axis=1)
    shares = counts.sum(axis=0) / m.sum()
    alike = (counts * (counts - 1)).sum(axis=1) / (m * (m - 1))
    observed, chance = float(alike.mean()), float((shares**2).sum())
    _refuse_one_class(1 - chance)
    change_of_chance = 2 * (counts - m[:, None] * shares) @ shares / m.sum()
    influence = (alike - observed) / n / (1 - chance) - (1 - observed) / (1 - chance) ** 2 * change_of_chance
    return _around((observed - chance) / (1 - chance), influence, level)


def cohen_kappa(first: IntVector, second: IntVector, n_classes: int, level: float = 0.95) -> Estimate:
    """Return Cohen's kappa of two labelers on the rows where both vote.

    kappa = (P - P_e) / (1 - P_e): P is the share of rows on which they agree, P_e the sum over classes of the product of
    their shares. O(n + k).

    Parameters
    ----------
    first, second : (n,) class numbers in [0, n_classes), one per row
    n_classes : k
    level : coverage of the interval, in (0, 1); default 0.95

    Returns
    -------
    Estimate
        At most 1.

    Raises
    ------
    InputError
        No row, or both say one and the same class only.

    Source
    ------
    Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20.

    Examples
    --------
    >>> cohen_kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]), 2).value
    0.5
    """
    n = len(first)
    if not n:
        raise InputError("the two labelers share no row", next_step="compare labelers that vote on the same rows")
    one, two = (np.bincount(said, minlength=n_classes) / n for said in (first, second))
    agreed = (first == second).astype(np.float64)
    observed, chance = float(agreed.mean()), float(one @ two)
    _refuse_one_class(1 - chance)
    change_of_chance = (two[first] + one[second] - 2 * chance) / n
    influence = (agreed - observed) / n / (1 - chance) - (1 - observed) / (1 - chance) ** 2 * change_of_chance
    return _around((observed - chance) / (1 - chance), influence, level)


def _paired(counts: Matrix) -> Matrix:
    counts = np.asarray(counts, dtype=np.float64)
    paired: Matrix = counts[counts.sum(axis=1) >= 2]
    if not len(paired):
        raise InputError("no row has two votes: there is no agreement to measure", next_step="let labelers overlap")
    return paired


def _refuse_one_class(spread: float) -> None:
    if spread <= 1e-12:
        raise InputError("all votes are for one class: agreement by chance is perfect too")


def _around(value: float, influence: Vector, level: float) -> Estimate:
    """Return a value with the interval that its rows' influences give."""
    n = len(influence)
    spread = influence - influence.mean()
    error = float(np.sqrt((spread**2).sum() * n / max(n - 1, 1)))
    half = float(normal_point((1 - level) / 2)) * error
    low, high = (-1.0, 1.0) if n == 1 else (value - half, value + half)
    return Estimate(value=value, low=min(value, max(-1.0, low)), high=max(value, min(1.0, high)), standard_error=error)
