"""Outliers: rows that stand farther from their neighbours than these stand from theirs.

    ratio_i = mean over neighbours j of d_k(i) / d_k(j),   d_k = distance to the k-th nearest row
    tail: ln ratio continued as an exponential from its upper quartile and upper decile
    flagged where the false-discovery rate of the tail is at most `level`

Source: Schubert, Zimek, Kriegel (2014), Local outlier detection reconsidered, Data Mining and Knowledge
Discovery 28, section 3.2 (simplified LOF).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.detection._shared import benjamini_hochberg, refuse_few_rows, searched, share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import Matrix, Vector
    from tilth.core.finding import Finding
    from tilth.numerics.neighbours import Neighbours
    from tilth.operators.view import Scope, View

__all__ = ["Outlier", "isolation_ratios", "tail_probabilities"]

CLUMP = 0.1
"""No neighbourhood counts as denser than this share of the median spacing: clumps of copies make no row an
outlier.
"""
UPPER, TOP = 0.75, 0.90
"""Quantiles between which the exponential tail is fitted: above the middle, below a tenth of outliers."""


def isolation_ratios(positions: np.ndarray, distances: Matrix) -> Vector:
    """Return how much farther each row's k-th neighbour is than its neighbours' own.

    1 in the midst of evenly spread rows of any density, above 1 outside. Spacings below a tenth of the
    median spacing count as that tenth, so that rows beside a clump of copies are not called outliers. O(n
    k).

    Parameters
    ----------
    positions : array, (n, k)
        Positions of the nearest other rows of each row.
    distances : Matrix, (n, k)
        Their distances, rising along each row, in any unit.

    Returns
    -------
    Vector, (n,)
        Ratios > 0, in row order; 1 where all rows are the same.

    Randomness
    ----------
    None.

    Source
    ------
    Schubert, Zimek, Kriegel (2014), Local outlier detection reconsidered, section 3.2.

    Examples
    --------
    >>> isolation_ratios(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [8.0]])).tolist()
    [1.0, 1.0, 8.0]
    """
    spacing = distances[:, -1]
    positive = spacing[spacing > 0]
    if not len(positive):
        return np.ones(len(spacing))
    spacing = np.maximum(spacing, CLUMP * np.median(positive))
    return np.asarray(spacing * (1 / spacing[positions]).mean(axis=1))


def tail_probabilities(ratios: Vector) -> Vector:
    """Return the probability that a row like the others has a ratio as large.

    Observed ranks below the upper decile; beyond it P(ln r > x) = 0.1 exp(-(x - x_90) / s), s = (x_90 -
    x_75) / ln 2.5: the tail of a power law, hence cautious for lighter ones. Up to a tenth of outliers
    leaves the fit nearly alone. O(n log n).

    Parameters
    ----------
    ratios : Vector, (n,)
        Isolation ratios > 0.

    Returns
    -------
    Vector, (n,)
        In (0, 1]; observed ranks alone where the upper quartile and decile agree, as on a lattice.

    Randomness
    ----------
    None.

    Source
    ------
    Pickands (1975), Statistical inference using extreme order statistics, Annals of Statistics 3
    (exceedances, shape 0).

    Examples
    --------
    >>> tail_probabilities(np.ones(4)).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    logs = np.log(ratios)
    upper, top = np.quantile(logs, [UPPER, TOP])
    scale = (top - upper) / np.log((1 - UPPER) / (1 - TOP))
    ranks = np.searchsorted(np.sort(logs), logs, side="left")
    observed = 1 - ranks / len(logs)
    if scale <= 0:
        return observed
    return np.asarray(np.where(logs > top, (1 - TOP) * np.exp(-(logs - top) / scale), observed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """Flag rows whose isolation lies beyond what the bulk of the rows lets expect.

    Parameters
    ----------
    k : int
        Neighbours; default 10, fewer where the view holds fewer. A group of more than k rows is a group,
        not outliers.
    level : float
        Share of false alarms that is accepted among the flagged rows; default 0.05.
    least_ratio : float
        A row is flagged only when it is at least this many times as isolated as its neighbours; default 1.5.
    least_rows : int
        Fewer rows do not show what is usual; default 50.

    Raises
    ------
    NotApplicable
        There are too few rows.

    Randomness
    ----------
    None.

    Source
    ------
    Schubert, Zimek, Kriegel (2014); Benjamini, Hochberg (1995), JRSS B 57 (the accepted share).
    """

    k: int = 10
    level: float = 0.05
    least_ratio: float = 1.5
    least_rows: int = 50

    needs: ClassVar[frozenset[str]] = frozenset({"neighbours"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when no row stands out."""
        refuse_few_rows(len(view), self.least_rows)
        neighbours: Neighbours = view.neighbours
        k = min(self.k, neighbours.positions.shape[1])
        ratios = isolation_ratios(neighbours.positions[:, :k], neighbours.distances[:, :k])
        q_values = benjamini_hochberg(tail_probabilities(ratios))
        flagged = (q_values <= self.level) & (ratios >= self.least_ratio)
        if not flagged.any():
            return []
        worst = int(ratios.argmax())
        return [
            view.finding(
                "outlier",
                1 - q_values,
                flagged=flagged,
                summary=f"{share_of(int(flagged.sum()), len(view))} stand apart: the most isolated is "
                f"{ratios[worst]:.1f} "
                f"times as far from its {k} nearest rows as these are from theirs.",
                threshold=f"isolation of at least {self.least_ratio:g} times the neighbours', in a tail "
                f"where at most "
                f"{100 * self.level:g} % false alarms are to be expected{searched(neighbours)}",
                suggestion="look at them: rare but real rows are worth keeping, broken or foreign ones are not",
                evidence={
                    "isolation_ratio": ratios,
                    "distance": neighbours.distances[:, k - 1],
                    "nearest": view.take_ids(neighbours.positions[:, 0]).to_pylist(),
                },
            )
        ]
