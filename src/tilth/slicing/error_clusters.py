"""Error clusters: where rows that fail lie close together, the region around each group of them.

    failing rows, and apart from them all others, are cut into clusters; each row goes to its nearest centre
    a failing cluster whose rows, right ones included, fare worse than expected becomes a region

The plain rival of the error mixture: it knows nothing of labels and predictions but whether a row fails. What is found on some rows
is tested on others.

Source: Lloyd (1982), Least squares quantization in PCM, IEEE Trans. Information Theory 28; d'Eon et al. (2022), The Spotlight, FAccT
(regions of high loss in the space of representations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.numerics.regions import centres_of, region_of
from tilth.slicing._shared import Failures, Rule, Space, crossed, failures_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tilth.core.arrays import IntVector, Mask, Matrix
    from tilth.core.found_slice import FoundSlice
    from tilth.operators.view import Scope, View

__all__ = ["ErrorClusters", "failing_clusters"]

FEWEST, MOST = 2, 20
"""Clusters of failing rows."""
ROWS_PER_OTHER = 100
LEAST_SIZE = 5


def failing_clusters(points: Matrix, fails: Mask, rows_per_cluster: int = 25) -> tuple[IntVector, int]:
    """Return the nearest cluster of each row, and how many clusters, the first ones, are of failing rows. O(n p clusters).

    Parameters
    ----------
    points : Matrix, (n, p)
    fails : Mask, (n,)
        Both kinds present.
    rows_per_cluster : int
        Failing rows for each of 2 to 20 failing clusters; default 25.

    Returns
    -------
    IntVector, (n,)
        Cluster numbers.
    int
        Numbers below it are of failing rows.

    Randomness
    ----------
    None.

    Source
    ------
    Su, Dy (2007), Intelligent Data Analysis 11 (where clusters start); Lloyd (1982).

    Examples
    --------
    >>> near, number = failing_clusters(np.array([[0.0], [0.1], [5.0], [5.1]]), np.array([True, True, False, False]), 2)
    >>> near[0] < number, near[3] < number
    (np.True_, np.False_)
    """
    failing = centres_of(points[fails], int(np.clip(fails.sum() // rows_per_cluster, FEWEST, MOST)))
    others = centres_of(points[~fails], int(np.clip((~fails).sum() // ROWS_PER_OTHER, FEWEST, 4 * MOST)))
    return region_of(points, np.vstack([failing, others])), len(failing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorClusters:
    """Find regions of embeddings around clusters of failing rows.

    Parameters
    ----------
    rows_per_cluster : int
        Failing rows for each of 2 to 20 clusters; default 25.
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
    d'Eon et al. (2022), The Spotlight, FAccT; Lloyd (1982), IEEE Trans. Information Theory 28.
    """

    rows_per_cluster: int = 25
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
        if there.fails.all():
            return
        points = space.axes.of(there.features)
        near, number = failing_clusters(points, there.fails, self.rows_per_cluster)
        sizes = np.bincount(near, minlength=number)[:number]
        excess = np.bincount(near, there.surprise, minlength=number)[:number] / np.sqrt(sizes + 1.0)
        for cluster in np.argsort(-excess, kind="stable")[: self.most]:
            if sizes[cluster] >= LEAST_SIZE and excess[cluster] > 0:
                inside = (near == cluster).astype(np.float64)
                yield space.rule(points, inside * there.worse, inside)
