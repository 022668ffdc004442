"""Auditor: a second model that tries to foretell where the first one errs; where it succeeds, there is a slice.

    residuals R = label - probability, per class;   B = (X'X + l I)^-1 X'R,  l by leave-one-out
    slices: the rows of the highest foretold residual of each class, and the leaves of a shallow tree over table columns

A calibrated model leaves residuals that no simple function of what it saw foretells. The rows beyond an edge along B are a region
of embeddings; the leaves are predicates. What is found on some rows is tested on others.

Source: Kim, Ghorbani, Zou (2019), Multiaccuracy: black-box post-processing for fairness in classification, AIES (the auditor);
Hebert-Johnson et al. (2018), Multicalibration, ICML; Allen (1974), Technometrics 16 (leave-one-out).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.numerics.region_membership import half_space
from tilth.slicing._shared import Failures, Rule, Space, crossed, failures_of, leaf_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tilth.core.arrays import Matrix
    from tilth.core.found_slice import FoundSlice
    from tilth.operators.view import Scope, View

__all__ = ["Auditor", "foretelling"]

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of ridge regression, as shares of the mean variance of a direction times the rows."""


def foretelling(points: Matrix, residuals: Matrix) -> Matrix:
    """Return for each residual the direction along which it rises, by ridge regression; O(n p^2 + p^3).

    The penalty is that of least squared leave-one-out error over all residuals together.

    Parameters
    ----------
    points : Matrix, (n, p)
    residuals : Matrix, (n, q)

    Returns
    -------
    Matrix, (p, q)
        Coefficients for centred points.

    Randomness
    ----------
    None.

    Source
    ------
    Hoerl, Kennard (1970), Technometrics 12; Allen (1974), Technometrics 16.

    Examples
    --------
    >>> line = np.linspace(-1, 1, 50)[:, None]
    >>> round(float(foretelling(line, 2 * line)[0, 0]), 1)
    2.0
    """
    centred, wanted = points - points.mean(axis=0), residuals - residuals.mean(axis=0)
    values, basis = np.linalg.eigh(centred.T @ centred)
    values, along = np.maximum(values, 0.0), centred @ basis
    pulled, level = along.T @ wanted, max(float(values.mean()), 1e-12)
    best, found = np.inf, np.zeros((points.shape[1], residuals.shape[1]))
    for penalty in (share * level for share in PENALTIES):
        shrunk = 1 / (values + penalty)
        leverage = np.square(along) @ shrunk + 1 / len(points)
        left = (wanted - along @ (pulled * shrunk[:, None])) / np.maximum(1 - leverage, 1e-6)[:, None]
        if (error := float(np.square(left).sum())) < best:
            best, found = error, basis @ (pulled * shrunk[:, None])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Find rows whose residual a simple model foretells, as regions of embeddings and as predicates.

    Parameters
    ----------
    share : float
        Of the rows, those of the highest foretold residual of a class make a region; in (0, 0.5], default 0.05.
    depth : int
        Of the tree over table columns, hence conditions of a predicate; default 2.
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
    Kim, Ghorbani, Zou (2019), Multiaccuracy, AIES.
    """

    share: float = 0.05
    depth: int = 2
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
        """Return slices whose rows score low also where they were not looked for; an empty list when there is none."""
        failures = failures_of(view, folds=self.folds, least_rows=self.least_rows)
        space = Space.of(failures, view.embeddings, self.axes)

        def search(there: Failures) -> list[Rule]:
            leaves = leaf_rules(view, there, depth=self.depth)
            return [*leaves[: self.most // 2], *self._half_spaces(space, there)]

        return crossed(view, failures, search, most=self.most, level=self.level, overlap=self.overlap)

    def _half_spaces(self, space: Space, there: Failures) -> Iterator[Rule]:
        points = space.axes.of(there.features)
        directions = foretelling(points, there.residuals)
        foretold = (points - points.mean(axis=0)) @ directions
        edges = np.quantile(foretold, 1 - self.share, axis=0)
        beyond = np.array([there.surprise[foretold[:, c] >= edges[c]].mean() for c in range(len(edges))])
        for column in np.argsort(-beyond, kind="stable"):
            direction = directions[:, column]
            length = float(np.linalg.norm(direction))
            if length > 1e-12 and beyond[column] > 0:
                places = points @ (direction / length)
                edge, width = float(np.quantile(places, 1 - self.share)), float(places.std()) / 4
                yield space.of_region(half_space(space.axes, direction / length, edge, width))
