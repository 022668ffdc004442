"""Whether changed rows can be told from real ones: a classifier that saw neither, on the features of the held encoders.

Tables are told by boosted trees, which see odd combinations of cells; texts, images and embeddings by a logistic fit to every
feature and its square. Real rows are other rows that the transform would change too: that a text has a number in it tells nothing.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.schema import ColumnType, Schema
from tilth.numerics.linearised import interval_of
from tilth.numerics.transform_measures import fold_auroc, quadratic_scores

__all__ = ["FEWEST_EACH", "LINEAR", "TREES", "discriminator_of", "realism_of"]

FEWEST_EACH = 20
"""Rows of each kind below which nothing is said."""
TREES, LINEAR = "boosted trees", "logistic regression on features and their squares"
_RICH = frozenset({ColumnType.TEXT, ColumnType.IMAGE, ColumnType.EMBEDDING})
_TREES, _LEAVES = 50, 7


def discriminator_of(schema: Schema) -> str:
    """Return which classifier tells rows apart."""
    return LINEAR if any(column.type in _RICH for column in schema.features) else TREES


def realism_of(
    features: FloatMatrix32,
    changed: FloatMatrix32,
    compared: Mask,
    folds: IntVector,
    *,
    told_by: str,
    groups: IntVector | None = None,
    seed: int = 0,
) -> Estimate:
    """Return the held-out AUROC of transformed against real rows, with its interval; near 0.5 they cannot be told apart.

    Parameters
    ----------
    features, changed : (n, d) of the rows as they are, and transformed
    compared : (n,) which rows are taken as they are; the others are taken transformed
    folds : (n,) codes; a fold is judged by a classifier of the others
    told_by : `TREES` or `LINEAR`
    groups : (n,) codes of rows that belong together, or None

    Raises
    ------
    NotApplicable
        Fewer than 20 rows of a kind, or a fold without one.
    """
    counts = np.bincount(compared.astype(np.intp), minlength=2)
    if counts.min() < FEWEST_EACH:
        raise NotApplicable(f"realism needs {FEWEST_EACH} changed rows and as many others, and has {counts.min()}")
    rows = np.where(compared[:, None], features, changed).astype(np.float64)
    made = ~compared
    scores = _tree_scores(rows, made, folds, seed) if told_by == TREES else quadratic_scores(rows, made, folds)
    return interval_of(fold_auroc(made, scores, folds), None if groups is None else groups[_by_fold(made, folds)])


def _by_fold(made: Mask, folds: IntVector) -> IntVector:
    """Return the places of rows in the order of `fold_auroc`: fold by fold, those with one kind left out."""
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    return np.concatenate([part for part in parts if made[part].any() and not made[part].all()])


def _tree_scores(features: Matrix, is_made: Mask, folds: IntVector, seed: int) -> Vector:
    """Return by how much each row looks made, from trees grown on the rows of the other folds."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    scores = np.zeros(len(features))
    for fold in np.unique(folds):
        held = folds == fold
        if len(set(is_made[~held])) < 2:
            raise NotApplicable("too few rows to tell transformed rows from real ones")
        trees = HistGradientBoostingClassifier(
            max_iter=_TREES, max_leaf_nodes=_LEAVES, early_stopping=False, random_state=seed % 2**32
        )
        # No weights: they would cost weighted quantiles of every feature, and AUROC does not mind which kind is commoner.
        scores[held] = trees.fit(features[~held], is_made[~held]).decision_function(features[held])
    return scores
