"""Uncertain pool rows: unlabelled rows whose neighbours' labels disagree most.

    score_i = entropy of the labels among the nearest labelled rows / log k

Source: Settles (2009), Active Learning Literature Survey, section 3.1 (uncertainty sampling), with a neighbour vote as the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.numerics.neighbours import k_nearest
from tilth.operators.view import Scope, View

__all__ = ["UncertainPool", "vote_entropy"]


def vote_entropy(votes: Matrix) -> Vector:
    """Return the entropy of vote shares, scaled to [0, 1]; (n, k) rows that sum to 1 -> (n,)."""
    logs = np.log(np.where(votes > 0, votes, 1.0))
    return np.asarray(np.abs((votes * logs).sum(axis=1)) / np.log(max(votes.shape[1], 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainPool:
    """Choose pool rows whose nearest labelled rows disagree on the class."""

    neighbours: int = 10

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "embeddings", "splits"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 1

    def select(self, view: View, budget: int) -> RowSet:
        """Return at most `budget` pool rows, most uncertain first."""
        if view.schema.task.is_regression:
            raise NotApplicable("the label is a number")
        pool = np.flatnonzero(view.splits == "pool")
        known = np.flatnonzero(view.labelled)
        if not len(pool):
            raise NotApplicable("there is no pool of unlabelled rows")
        if not len(known):
            raise NotApplicable("no train row has a label that could vote")
        k = min(self.neighbours, len(known))
        found = k_nearest(
            view.embeddings[known], k, queries=view.embeddings[pool], metric="euclidean", exclude_self=False
        )
        near = view.labels[known][np.asarray(found.positions)]
        votes = np.stack([(near == c).mean(axis=1) for c in range(view.n_classes)], axis=1)
        score = vote_entropy(votes)
        order = np.argsort(-score, kind="stable")[:budget]
        return RowSet(
            ids=view.take_ids(pool[order]), scores=score[order], reason="the model is unsure of this pool row"
        )
