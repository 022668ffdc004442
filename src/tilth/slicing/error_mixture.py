"""Error mixture: regions of embeddings in which rows fail alike.

    an error-aware mixture of Gaussians on principal axes, labels and predictions finds groups of rows
    surprise = -log p(label) - entropy;   groups with most of it, sum r s / sqrt(var s · sum r), become regions
    a region is the one direction that tells the group's failing rows from all rows, cut where it holds as many rows as the group

Predictions that doubt themselves are expected to fail: a group counts by how much worse it fares than its predictions say. What is
found on some rows is tested on others.

Source: Eyuboglu et al. (2022), Domino: discovering systematic errors with cross-modal embeddings, ICLR (the mixture); Friedman
(1989), Regularized discriminant analysis, JASA 84 (the direction).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.numerics.error_mixture import error_mixture
from tilth.slicing._shared import Failures, Rule, Space, crossed, failures_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tilth.core.arrays import IntVector, Matrix, Vector
    from tilth.core.found_slice import FoundSlice
    from tilth.operators.view import Scope, View

__all__ = ["ErrorMixture", "most_surprising"]

FEWEST, MOST = 8, 40
"""Components."""
LEAST_SIZE = 5.0
"""Rows of a component, by membership, below which it is no slice."""


def most_surprising(belongs: Matrix, surprise: Vector) -> IntVector:
    """Return components in the order of how surely their rows fare worse than expected. O(n m).

    Parameters
    ----------
    belongs : Matrix, (n, m)
        Membership of rows in components.
    surprise : Vector, (n,)
        How much worse than expected each row fares.

    Returns
    -------
    IntVector, (c,)
        Components of at least five rows that fare worse than expected, most surely first.

    Randomness
    ----------
    None.

    Source
    ------
    Kulldorff (1997), A spatial scan statistic, Communications in Statistics 26 (regions by their excess).

    Examples
    --------
    >>> belongs = np.repeat(np.eye(2), 6, axis=0)
    >>> most_surprising(belongs, np.array([0.0] * 6 + [1.0] * 6)).tolist()
    [1]
    """
    sizes = belongs.sum(axis=0)
    excess = (belongs.T @ surprise) / np.sqrt(np.maximum(surprise.var(), 1e-12) * sizes + 1)
    order = np.argsort(-excess, kind="stable")
    return np.asarray(order[(sizes[order] >= LEAST_SIZE) & (excess[order] > 0)], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMixture:
    """Find regions of embeddings where predictions fail, with soft membership that needs no label.

    Parameters
    ----------
    rows_per_component : int
        Rows for each component of the mixture, of which there are 8 to 40; default 100. Fewer find smaller slices, less surely.
    weight : float
        Of labels and predictions against embeddings; default 3. Above 10 groups follow classes alone.
    axes : int
        Principal axes of the embeddings that are read; default 64.
    folds : int
        Parts of the rows of which each tests what the others found; default 2.
    most : int
        Slices at most; default 10.
    level : float
        Greatest q-value; default 0.05.
    overlap : float
        Jaccard similarity from which the more doubtful of two slices is left out; default 0.5.
    least_rows : int
        Rows with a score below which nothing is searched; default 100.

    Raises
    ------
    NotApplicable
        There are no scores or embeddings, too few rows, or all rows score alike.

    Randomness
    ----------
    None: rows are ordered and parted by the digests of their ids; rows of a group stay together.

    Source
    ------
    Eyuboglu et al. (2022), Domino, ICLR.
    """

    rows_per_component: int = 100
    weight: float = 3.0
    axes: int = 64
    folds: int = 2
    most: int = 10
    level: float = 0.05
    overlap: float = 0.5
    least_rows: int = 100

    needs: ClassVar[frozenset[str]] = frozenset(
        {"embeddings", "groups", "labels", "numbers", "pred_probs", "scores", "slices", "table"}
    )
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 3

    def discover(self, view: View) -> Sequence[FoundSlice]:
        """Return regions whose rows score low also where they were not looked for; an empty list when there is none."""
        failures = failures_of(view, folds=self.folds, least_rows=self.least_rows)
        space = Space.of(failures, view.embeddings, self.axes)
        return crossed(
            view,
            failures,
            lambda there: list(self._rules(space, there)),
            most=self.most,
            level=self.level,
            overlap=self.overlap,
        )

    def _rules(self, space: Space, there: Failures) -> Iterator[Rule]:
        points = space.axes.of(there.features)
        components = int(np.clip(len(there) // self.rows_per_component, FEWEST, MOST))
        parts = error_mixture(points, there.groups, there.fails, there.terms, components=components, weight=self.weight)
        for component in most_surprising(parts.by_features, there.surprise)[: self.most]:
            inside = parts.by_features[:, component]
            yield space.rule(points, inside * there.worse, inside)
