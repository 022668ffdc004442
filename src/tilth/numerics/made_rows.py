"""A gate for made rows: what looks made, what only copies, and what a model takes for another class stays out.

    copy         d(made, nearest real row) = 0, or less than half of what real rows are from one another (a low quantile of their
                 distances; what stands between two real rows is at best half as far)
    realism      a logistic discriminator of made from real rows of the same classes, scored on rows that it did not see; its AUROC is
                 0.5 where nothing tells them apart
    agreement    p(class | x) by a class-balanced model that saw no parent of the row; less than that of nearly all real rows of the
                 class, scored by models that did not see these: the row is taken for another class

The discriminator and the models read the principal axes of the features, and the first of them squared: made rows often have the right
mean and too little spread. Models are fitted to one third of the real rows each, so that for a row of two parents there is one that
saw neither.

Source: Lopez-Paz, Oquab (2017), Revisiting Classifier Two-Sample Tests, ICLR (realism); Alaa et al. (2022), How Faithful is your
Synthetic Data?, ICML (a sample-level audit: fidelity, and distance to the nearest real row as authenticity).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from tilth.core.arrays import evenly
from tilth.core.errors import InputError
from tilth.numerics import softmax_regression
from tilth.numerics._axes import principal_axes, turned
from tilth.numerics.neighbours import k_nearest
from tilth.numerics.ranking_measures import auroc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector

__all__ = ["Gate", "audited"]

FOLDS = 3
MOST_REAL, MOST_APART, MOST_WIDE, FIRST, AXES, SQUARED = 6_000, 1_500, 256, 8, 32, 12
"""Real rows that models are fitted to, and whose distances to the others are taken; columns beyond which features are projected at
random; axes by which copies are looked for first, axes read, and those squared too."""
FEW_REAL = 20_000
"""Real rows up to which a copy is looked for among all of them."""
PENALTY = 3e-3
FEWEST_JUDGED = 6
"""Real rows of a class below which no model can say what is of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gate:
    """What the gate says of m made rows.

    Attributes
    ----------
    copies, unreal, disagreeing : (m,) masks of rows that are left out; a row stands in the first that applies
    auroc : of the discriminator over all rows that are no copies, in [0, 1]; 0.5 where there were too few to tell
    """

    copies: Mask
    unreal: Mask
    disagreeing: Mask
    auroc: float

    @property
    def kept(self) -> Mask:
        """The rows that pass, (m,)."""
        return ~(self.copies | self.unreal | self.disagreeing)


def audited(
    real: FloatMatrix32,
    labels: IntVector,
    made: FloatMatrix32,
    targets: Matrix,
    parents: IntVector,
    *,
    sure: float = 0.95,
    near: float = 0.05,
    doubt: float = 0.05,
) -> Gate:
    """Judge made rows beside the real rows that they are to stand among.

    O(n d²) for the axes, and O(m n d) for distances to the nearest real rows.

    Parameters
    ----------
    real : (n, d) encoded features of real labelled rows, in an order that does not depend on chance: rows are dealt to folds by it
    labels : (n,) class numbers
    made : (m, d)
    targets : (m, k) class shares of each made row; one 1 per row where it is of one class
    parents : (m, p) positions among the real rows; a parent may stand twice
    sure : probability of being made, at even numbers, above which a row is left out, if 99 % of real rows stay below its own
    near : quantile of the distances of real rows to their nearest real row, below half of which a made row is a copy
    doubt : quantile of what models say of real rows of the class, below which they disagree

    Returns
    -------
    Gate

    Raises
    ------
    InputError : shapes that do not fit

    Randomness: none; a projection of wide features is fixed.

    Source: Lopez-Paz, Oquab (2017), ICLR; Alaa et al. (2022), ICML.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((80, 2)).astype(np.float32)
    >>> y = np.repeat([0, 1], 40)
    >>> x[40:] += 4
    >>> gate = audited(x, y, x[:3], np.eye(2)[[0, 0, 0]], np.arange(3)[:, None])
    >>> gate.copies.tolist(), gate.kept.tolist()
    ([True, True, True], [False, False, False])
    """
    if parents.ndim != 2 or len(parents) != len(made) or targets.shape[0] != len(made) or len(labels) != len(real):
        raise InputError("made rows, their targets and their parents must be as many, and labels as many as real rows")
    folds = _dealt(labels)
    real, made = _narrowed(real, made)
    x, z = _axes(real, made)
    copies = _copies(real, x, labels, made, z, targets, near)
    score, bar, area = _made_like(x, labels, folds, z, targets, folds[parents[:, 0]], ~copies)
    unreal = ~copies & (score > max(sure, bar))
    doubted = _disagreeing(x, labels, folds, z, targets, parents, doubt)
    return Gate(copies=copies, unreal=unreal, disagreeing=doubted & ~copies & ~unreal, auroc=area)


def _dealt(labels: IntVector) -> IntVector:
    """Deal the rows of each class to folds in turn."""
    folds = np.zeros(len(labels), dtype=np.intp)
    for c in np.unique(labels):
        rows = np.flatnonzero(labels == c)
        folds[rows] = np.arange(len(rows)) % FOLDS
    return folds


def _narrowed(real: FloatMatrix32, made: FloatMatrix32) -> tuple[FloatMatrix32, FloatMatrix32]:
    """Return real and made rows, projected at random where they are wide."""
    if real.shape[1] <= MOST_WIDE:
        return real, made
    turn = np.random.default_rng(0).standard_normal((real.shape[1], MOST_WIDE)) / np.sqrt(MOST_WIDE)
    turn = turn.astype(np.float32)
    return real @ turn, made @ turn


def _axes(real: FloatMatrix32, made: FloatMatrix32) -> tuple[Matrix, Matrix]:
    """Return real and made rows on the first principal axes of the real ones."""
    mean, basis, _ = principal_axes(real)
    first = np.ascontiguousarray(basis[:, ::-1][:, :AXES])
    return turned(real, mean, first), turned(made, mean, first)


def _copies(
    real: FloatMatrix32, x: Matrix, labels: IntVector, made: FloatMatrix32, z: Matrix, targets: Matrix, near: float
) -> Mask:
    """Rows that are nearer to a real row than real rows of these classes are to one another; x, z: both on the first axes."""
    copies = np.zeros(len(z), dtype=bool)
    if not len(z):
        return copies
    own = np.flatnonzero(np.isin(labels, np.flatnonzero(targets.any(axis=0))))[:MOST_REAL]
    limit = 1e-5 * float(np.sqrt(np.square(x - x.mean(axis=0)).sum(axis=1).mean()))
    if len(own) > 1:
        some = own[evenly(len(own), MOST_APART)]
        apart = k_nearest(real[own], 2, queries=real[some], metric="euclidean", exclude_self=False).distances[:, 1]
        limit = max(limit, 0.499 * float(np.quantile(apart, near)))
    # a row that is far by the first axes is far
    tree, reach = cKDTree(x[:, :FIRST]), limit * 1.001 + 1e-6 * float(np.abs(x).max()) + 1e-12
    close = np.flatnonzero(np.isfinite(tree.query(z[:, :FIRST], distance_upper_bound=reach)[0]))
    if len(close):
        among = real[_around(tree, z[close, :FIRST], reach)]
        found = k_nearest(among, 1, queries=made[close], metric="euclidean", exclude_self=False)
        copies[close] = found.distances[:, 0] <= limit
    return copies


def _around(tree: cKDTree, asked: Matrix, reach: float) -> IntVector | slice:
    """Return the rows of a tree within reach of what is asked; all, where these are few, or few are not within reach of something."""
    if tree.n <= FEW_REAL:
        return slice(None)
    sample = asked[evenly(len(asked), 32)]
    if len(asked) * tree.query_ball_point(sample, reach, return_length=True).mean() > tree.n:
        return slice(None)
    return np.unique(np.concatenate(tree.query_ball_point(asked, reach))).astype(np.intp)


def _described(rows: Matrix, spread: Vector) -> Matrix:
    """Return rows by their axes in units of their own spread, and the first axes squared."""
    units = rows[:, :AXES] / spread[:AXES]
    return np.column_stack([units, np.minimum(units[:, :SQUARED] ** 2, 25.0) - 1])


def _spread(x: Matrix) -> Vector:
    return np.asarray(np.maximum(x.std(axis=0), 1e-3 * max(float(x.std(axis=0).max(initial=0.0)), 1e-12)))


def _made_like(
    x: Matrix, labels: IntVector, folds: IntVector, z: Matrix, targets: Matrix, made_folds: IntVector, counted: Mask
) -> tuple[Vector, float, float]:
    """Return the probability (m,) that each row was made, at even numbers, what 99 % of real rows stay below, and the AUROC."""
    score, shares = np.full(len(z), 0.5), targets[counted].sum(axis=0)
    mine, theirs = np.flatnonzero(shares[labels] > 0)[:MOST_REAL], np.flatnonzero(counted)
    if len(mine) < 2 * FOLDS or len(theirs) < 2 * FOLDS:
        return score, 1.0, 0.5
    spread = _spread(x[mine])
    rows = np.vstack([_described(x[mine], spread), _described(z[theirs], spread)])
    is_made = np.repeat([0, 1], [len(mine), len(theirs)])
    sizes = np.bincount(labels[mine], minlength=len(shares))
    weights = np.concatenate([(shares / np.maximum(sizes, 1))[labels[mine]], np.ones(len(theirs))])
    fold = np.concatenate([folds[mine], made_folds[theirs]])
    found = np.full(len(rows), 0.5)
    for held, model in _held_out(rows, np.eye(2)[is_made], weights, fold):
        found[held] = model(rows[held])[:, 1]
    score[theirs] = found[len(mine) :]
    return score, float(np.quantile(found[: len(mine)], 0.99)), float(auroc(is_made == 1, found).value)


def _held_out(rows: Matrix, targets: Matrix, weights: Vector, folds: IntVector) -> Iterator[tuple[Mask, _Model]]:
    """Yield each fold and a model of the others."""
    for fold in np.unique(folds):
        held = folds == fold
        if (targets[~held].sum(axis=0) > 0).all():
            yield held, _Model(rows[~held], targets[~held], weights[~held])


class _Model:
    """A linear model in which every class counts the same."""

    def __init__(self, rows: Matrix, targets: Matrix, weights: Vector) -> None:
        self.design = softmax_regression.prepare(rows, PENALTY)
        total = (targets * weights[:, None]).sum(axis=0)
        even = weights * (targets @ np.where(total > 0, 1 / np.maximum(total, 1e-12), 0.0))
        projected = self.design.project(rows)
        self.fitted = softmax_regression.fit(projected, targets, even, self.design, tolerance=1e-4)

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the classes' probabilities, (m, k)."""
        return softmax_regression.predict_proba(self.design.project(rows), self.fitted)


def _disagreeing(
    x: Matrix, labels: IntVector, folds: IntVector, z: Matrix, targets: Matrix, parents: IntVector, doubt: float
) -> Mask:
    """Rows of whose class models that saw no parent are less sure than of nearly all real rows of it."""
    k = targets.shape[1]
    rows = _some_of_each(labels, MOST_REAL)
    if not len(z) or len(np.unique(labels[rows])) < 2:
        return np.zeros(len(z), dtype=bool)
    spread = _spread(x[rows])
    known, asked = _described(x[rows], spread), _described(z, spread)
    models = {f: _Model(known[at], np.eye(k)[labels[rows[at]]], np.ones(len(at))) for f, at in _parts(folds[rows])}
    own, said = np.zeros(len(rows)), np.zeros(len(z))
    judged = np.zeros(len(z), dtype=bool)
    for fold, model in models.items():
        others = np.flatnonzero((folds[rows] + 1) % FOLDS == fold)
        own[others] = model(known[others])[np.arange(len(others)), labels[rows[others]]]
        free = ~judged & (folds[parents] != fold).all(axis=1)
        said[free] = (model(asked[free]) * targets[free]).sum(axis=1)
        judged |= free
    bars = _bars(own, labels[rows], k, doubt)
    return np.asarray(judged & (said < targets @ bars))


def _parts(folds: IntVector) -> list[tuple[int, IntVector]]:
    return [(int(fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]


def _bars(own: Vector, labels: IntVector, k: int, doubt: float) -> Vector:
    """Return for each class what nearly all its real rows reach; 0 for a class of too few rows to say."""
    bars = np.zeros(k)
    for c in np.unique(labels):
        of_class = own[labels == c]
        if len(of_class) >= FEWEST_JUDGED:
            bars[c] = np.quantile(of_class, doubt)
    return bars


def _some_of_each(labels: IntVector, most: int) -> IntVector:
    """Return positions of at most so many rows, evenly through their order, rare classes whole."""
    classes, counts = np.unique(labels, return_counts=True)
    room = max(1, most // len(classes))
    parts = []
    for c, n in zip(classes, counts, strict=True):
        rows = np.flatnonzero(labels == c)
        parts.append(rows[evenly(n, room)])
    return np.sort(np.concatenate(parts))
