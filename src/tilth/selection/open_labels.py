"""Open labels: rows whose label a migration left open, in groups that look alike and are in doubt, one from the middle of each.

    centres = k-means of the open rows' embeddings, each row weighing what is unknown of it: the entropy of p(class | x) within its set

On banking77, 20 groups of intents split into 77 again: with 200 answers test accuracy .769, with answers at random .617, three seeds
(`python -m benchmarks migrations`).

Source: Zhdanov (2019), Diverse mini-batch Active Learning, arXiv:1901.05954, section 3.2 (weighted k-means).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.cluster import KMeans

from tilth.core.arrays import FloatMatrix32, IntVector, Vector
from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.core.rowset import RowSet
from tilth.numerics.partial_labels import entropy_within, within_sets
from tilth.operators.view import Scope, View

__all__ = ["OpenLabels", "middles"]

LEAST_WEIGHT = 1e-6
MOST_ROWS = 20_000
"""Open rows among which is chosen, evenly spaced."""
ROUNDS = 30


def middles(features: FloatMatrix32, weights: Vector, n_groups: int, seed: int) -> IntVector:
    """Return one row from the middle of each of so many groups, the heaviest group first.

    Parameters
    ----------
    features : (n, d)
    weights : (n,) how much each row counts, >= 0
    n_groups : groups; fewer rows come back where two groups share their middle

    Returns
    -------
    (m,) positions, m <= n_groups, all different

    Randomness: k-means++ starts from the seed.

    Source: Zhdanov (2019), arXiv:1901.05954, section 3.2.
    """
    n_groups = min(n_groups, len(features))
    counted = np.maximum(weights, LEAST_WEIGHT)
    found = KMeans(n_groups, n_init=1, max_iter=ROUNDS, random_state=seed).fit(features, sample_weight=counted)
    apart = ((features - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    order = np.lexsort((apart, found.labels_))
    _, first = np.unique(found.labels_[order], return_index=True)
    heavy = np.bincount(found.labels_, weights=counted, minlength=n_groups)
    return np.asarray(order[first][np.argsort(-heavy[found.labels_[order[first]]], kind="stable")], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLabels:
    """Choose train rows whose label a migration left open: typical ones, where a model of the known labels is in doubt.

    Parameters
    ----------
    penalty : of that linear model; > 0

    Raises
    ------
    NotApplicable : no label is open

    Randomness: the start of k-means, by the run's seed.

    Source: Zhdanov (2019), arXiv:1901.05954, section 3.2.
    """

    penalty: float = 0.1

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "label_sets", "splits", "embeddings"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 1

    def select(self, view: View, budget: int) -> RowSet:
        """Return at most `budget` open train rows, from the largest group of doubt first."""
        if view.schema.task.is_regression or not view.has("label_sets"):
            raise NotApplicable("the label set was never migrated")
        train = view.splits.astype(str) == str(Split.TRAIN)
        rows = np.flatnonzero(train & view.label_sets.any(axis=1) & ~view.labelled)
        if not len(rows):
            raise NotApplicable("no label of a train row is open")
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(np.intp)]
        doubt = self._doubt(view, np.flatnonzero(train & view.labelled), rows)
        chosen = middles(view.embeddings[rows], doubt, budget, int(view.rng.integers(2**31)))
        return RowSet(
            ids=view.take_ids(rows[chosen]),
            scores=doubt[chosen],
            reason="a migration left its label open, and its kind is in doubt",
        )

    def _doubt(self, view: View, known: IntVector, rows: IntVector) -> Vector:
        sets = view.label_sets[rows]
        if not len(known):
            return np.ones(len(rows))
        used = np.concatenate([known, rows])
        is_known = np.arange(len(used)) < len(known)
        probs = within_sets(view.embeddings[used], view.labels[used], is_known, sets, self.penalty)
        return entropy_within(probs, sets)
