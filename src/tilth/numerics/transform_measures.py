"""What a transform does to rows, measured on their features and predictions: realism, label drift, diversity, flips.

    realism     = mean over folds of AUROC(held-out scores: transformed against real rows);   0.5 = not to be told apart
    drift_i     = [model agrees with the label of row i before] − [it agrees after],   the model did not see row i
    diversity_i = |f(first draw of row i) − f(second draw)| / median distance of a real row to the nearest other one

Source: Lopez-Paz, Oquab (2017), Revisiting Classifier Two-Sample Tests, ICLR (realism by a held-out classifier); Ratner, Ehrenberg,
Hussain, Dunnmon, Ré (2017), Learning to Compose Domain-Specific Transformations for Data Augmentation, NeurIPS, section 3 (a
discriminator rejects what is off the distribution).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics import softmax_regression
from tilth.numerics.linearised import Linearised
from tilth.numerics.neighbours import k_nearest
from tilth.numerics.ranking_measures import RANKED, auroc

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector

__all__ = [
    "confident_flips",
    "draw_distances",
    "fold_auroc",
    "label_drift",
    "nearest_distance",
    "number_drift",
    "quadratic_scores",
]

_PENALTY = 0.003
"""Per row, on features of mean squared length 1."""
_TINY = 1e-9


def quadratic_scores(features: Matrix, is_made: Mask, folds: IntVector) -> Vector:
    """Return by how much each row looks made rather than real, from a logistic fit to the rows of the other folds.

    The fit reads every feature and its square, so that rows which are spread wider than real ones are told too. Both kinds weigh
    alike. O(folds · (n d² + d³)).

    Parameters
    ----------
    features : (n, d) finite
    is_made : (n,) which rows are transformed ones
    folds : (n,) codes; rows that belong together (a row's group) stand in one

    Returns
    -------
    Vector
        (n,) log odds, higher for rows that look made.

    Raises
    ------
    NotApplicable
        Without one of the folds no made row is left, or no real one.

    Source
    ------
    Lopez-Paz, Oquab (2017), ICLR.

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2, 5.3])[:, None]
    >>> scores = quadratic_scores(x, np.arange(8) > 3, np.arange(8) % 2)
    >>> bool(scores[4:].min() > scores[:4].max())
    True
    """
    scores = np.zeros(len(features))
    for fold in np.unique(folds):
        held = folds == fold
        counts = np.bincount(is_made[~held].astype(np.intp), minlength=2)
        if not counts.all():
            raise NotApplicable("too few rows to tell transformed rows from real ones")
        reader = _Quadratic.of(features[~held])
        learnt = reader.read(features[~held])
        design = softmax_regression.prepare(learnt, _PENALTY)
        kinds = is_made[~held].astype(np.intp)
        targets, balance = np.eye(2)[kinds], (0.5 / counts)[kinds]
        fitted = softmax_regression.fit(design.project(learnt), targets, balance, design, tolerance=1e-4)
        coefficients, intercepts = softmax_regression.feature_coefficients(design, fitted)
        odds = reader.read(features[held]) @ coefficients + intercepts
        scores[held] = odds[:, 1] - odds[:, 0]
    return scores


@dataclass(frozen=True, slots=True)
class _Quadratic:
    """Features and their squares, brought to mean squared length 1 over the rows that it was made of."""

    mean: Vector
    spread: Vector
    middle: Vector
    width: Vector

    @classmethod
    def of(cls, features: Matrix) -> _Quadratic:
        """Return the reader that goes by the means and spreads of rows (n, d)."""
        mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), _TINY)
        squares = np.square((features - mean) / spread)
        return cls(mean, spread, squares.mean(axis=0), np.maximum(squares.std(axis=0), _TINY))

    def read(self, features: Matrix) -> Matrix:
        """Return features (n, d) and their squares side by side, (n, 2 d)."""
        plain = np.clip((features - self.mean) / self.spread, -10, 10)
        both = np.hstack([plain, np.clip((np.square(plain) - self.middle) / self.width, -10, 10)])
        return np.asarray(both / np.sqrt(both.shape[1]))


def fold_auroc(is_made: Mask, scores: Vector, folds: IntVector) -> Linearised:
    """Return the mean over folds of the AUROC of held-out scores; scores of different folds are not compared.

    The models of k folds were taught by nearly the same rows, so that their figures go together: the variance is 1 + k / (k − 1) times that
    of independent ones.

    Parameters
    ----------
    is_made : (n,) which rows are transformed ones
    scores : (n,) from a model of the other folds
    folds : (n,) codes; folds that hold one kind only are left out

    Returns
    -------
    Linearised
        (n',) rows of the folds that count; in [0, 1], 0.5 where nothing tells the rows apart.

    Raises
    ------
    NotApplicable
        No fold holds both kinds.

    Source
    ------
    Airola et al. (2011), An experimental comparison of cross-validation techniques for estimating the area under the ROC curve,
    Computational Statistics & Data Analysis 55 (pooled scores are biased); Nadeau, Bengio (2003), Inference for the Generalization Error,
    Machine Learning 52 (the corrected variance).

    Examples
    --------
    >>> made, folds = np.array([False, True, False, True]), np.array([0, 0, 1, 1])
    >>> fold_auroc(made, np.array([0.1, 0.2, 0.9, 0.8]), folds).value
    0.5
    """
    parts = []
    for fold in np.unique(folds):
        held = folds == fold
        if is_made[held].any() and not is_made[held].all():
            parts.append(auroc(is_made[held], scores[held]))
    if not parts:
        raise NotApplicable("too few rows to tell transformed rows from real ones")
    n = sum(len(part) for part in parts)
    shared = 1.0 + len(parts) / (len(parts) - 1) if len(parts) > 1 else 1.0
    spread = float(np.sqrt(shared)) * n / len(parts)
    rows = [part.value + (part.rows - part.value) * (spread / len(part)) for part in parts]
    value = float(np.mean([part.value for part in parts]))
    centred = np.concatenate([one - part.value for one, part in zip(rows, parts, strict=True)])
    informative = sum(part.informative or len(part) for part in parts) / shared
    return Linearised(rows=value + centred, bounds=(0.0, 1.0), informative=informative, reach=RANKED)


def label_drift(labels: IntVector, before: Matrix, after: Matrix) -> Vector:
    """Return by how much a model that did not see a row agrees less with its label afterwards: −1, 0 or 1.

    Parameters
    ----------
    labels : (n,) class numbers
    before, after : (n, k) probabilities of the rows as they are, and transformed; out of sample

    Returns
    -------
    Vector
        (n,): 1 where only the row as it was is predicted right, −1 where only the transformed one is.

    Source
    ------
    none; a paired difference of agreement.

    Examples
    --------
    >>> one, other = np.array([[0.9, 0.1]]), np.array([[0.2, 0.8]])
    >>> label_drift(np.array([0]), one, other).tolist(), label_drift(np.array([1]), one, other).tolist()
    ([1.0], [-1.0])
    """
    was, remains = before.argmax(axis=1) == labels, after.argmax(axis=1) == labels
    return np.asarray(was.astype(np.float64) - remains)


def number_drift(labels: Vector, before: Vector, after: Vector, spread: float) -> Vector:
    """Return by how much predicted numbers err more afterwards, in spreads of the label; (n,), (n,), (n,) -> (n,).

    Examples
    --------
    >>> number_drift(np.array([1.0]), np.array([1.5]), np.array([3.0]), 2.0).tolist()
    [0.75]
    """
    if not spread > 0:
        raise InputError(f"the label's spread must be above 0, not {spread!r}")
    return np.asarray((np.abs(after - labels) - np.abs(before - labels)) / spread)


def confident_flips(labels: IntVector, before: Matrix, after: Matrix, most: int) -> IntVector:
    """Return the rows that agreed with their label and are another class afterwards, the most confident first.

    A flip is as confident as the less confident of both predictions: min(p before of the label, p after of the other class).

    Parameters
    ----------
    labels : (n,) class numbers
    before, after : (n, k) probabilities
    most : rows returned at most

    Returns
    -------
    IntVector
        (m,) positions, ties in row order.

    Examples
    --------
    >>> before, after = np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.2, 0.8], [0.1, 0.9]])
    >>> confident_flips(np.array([0, 0]), before, after, 5).tolist()
    [0, 1]
    """
    flips = np.flatnonzero((before.argmax(axis=1) == labels) & (after.argmax(axis=1) != labels))
    sure = np.minimum(before[flips, labels[flips]], after[flips].max(axis=1, initial=0.0))
    return np.asarray(flips[np.argsort(-sure, kind="stable")][:most], dtype=np.intp)


def nearest_distance(features: FloatMatrix32) -> float:
    """Return the median distance of a row to the nearest other one; where most have a copy, of those that have none.

    Parameters
    ----------
    features : (n, d) finite

    Returns
    -------
    float
        Above 0, in the unit of the features.

    Raises
    ------
    NotApplicable
        Fewer than two different rows.

    Examples
    --------
    >>> nearest_distance(np.array([[0.0], [1.0], [3.0]], dtype=np.float32))
    1.0
    """
    if len(features) < 2:
        raise NotApplicable("fewer than two rows: no row has a neighbour")
    nearest = k_nearest(features, 1, metric="euclidean", exclude_self=True).distances[:, 0]
    middle = float(np.median(nearest))
    if middle > 0:
        return middle
    if not (nearest > 0).any():
        raise NotApplicable("all rows are copies of others: there is no distance between rows")
    return float(np.median(nearest[nearest > 0]))


def draw_distances(first: FloatMatrix32, second: FloatMatrix32, unit: float) -> Vector:
    """Return the distance between two draws of each row, in units; (n, d), (n, d) -> (n,) at least 0.

    Examples
    --------
    >>> draw_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), 2.0).tolist()
    [2.5]
    """
    gap = first.astype(np.float64) - second
    return np.asarray(np.sqrt(np.square(gap).sum(axis=1)) / unit)
