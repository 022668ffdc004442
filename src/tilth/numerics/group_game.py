"""Group DRO: weights of groups under which the worst of them is as well off as the average allows.

    minimise over τ:   err_g ≤ τ for every group g,   err ≤ err at the start + most_fall
    w_i ∝ base_i · (1 + sum_g m_ig λ_g),   λ_g multiplied by exp(step (err_g - τ)) in every round

The fit under the weights goes by cross-entropy, λ and τ by errors of held-out rows: a large model has no errors left on rows that
it was fitted to, whatever its worst group. τ sinks while the average allows it, and rises where it does not; the round
that is best by the held-out rows is returned. Errors of small groups are drawn toward those of their class, so that a few odd rows
(wrong labels, mostly) do not pass for a group that is badly off, and no group is multiplied by more than a limit.

Source: Sagawa, Koh, Hashimoto, Liang (2020), Distributionally Robust Neural Networks for Group Shifts, ICLR (exponentiated gradient
over groups, regularised); Cotter, Jiang, Sridharan (2019), Two-Player Games for Efficient Non-Convex Constrained Optimization, ALT
(errors decide the multipliers, a smooth loss the model; the best round is kept).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector
from tilth.core.errors import InputError
from tilth.numerics import softmax_regression
from tilth.numerics._softmax_curvature import BlockCurvature
from tilth.numerics.softmax_regression import Design, SoftmaxFit

__all__ = ["GroupWeights", "group_dro", "group_errors", "group_weights", "held_out_penalty"]

_PENALTIES = (1e-2, 1e-3, 1e-4, 1e-5)
"""Penalties per row of the fits inside, among which held-out rows choose by their log loss."""
_SOFT = 0.5
"""Share of a row's error that is the probability given to other classes: it moves before a decision does, and is less noisy."""
_LOOSE = 1e-3
"""Newton decrement of the fits inside: the weights need errors of held-out rows, not a last digit."""
_BALANCES = (0.25, 0.5, 0.75, 1.0)
"""Strengths of group balancing from the best of which the game starts."""
_FIRST = 0.02
"""Multiplier with which a group starts."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupWeights:
    """What the rounds came to.

    Parameters
    ----------
    weights : (n,) of the rows, with the mean of those at the start
    multipliers : (g,) λ, by how much more than before a group's rows count
    before, after : (g,) held-out error of each group, drawn toward its class's, at the start and under these weights
    fall : by how much the held-out error of all rows rose
    """

    weights: Vector
    multipliers: Vector
    before: Vector
    after: Vector
    fall: float


def group_errors(wrong: Vector, labels: IntVector, groups: Matrix, base: Vector, prior_rows: float) -> Vector:
    """Return the error of each group, drawn toward its class's as if by `prior_rows` more rows; (n,), (n,), (n, g), (n,) -> (g,)."""
    of_class = np.bincount(labels, base * wrong) / np.maximum(np.bincount(labels, base), 1e-12)
    mass = groups * base[:, None]
    sizes = mass.sum(axis=0)
    expected = (mass.T @ of_class[labels]) / np.maximum(sizes, 1e-12)
    return np.asarray((mass.T @ wrong + prior_rows * expected) / (sizes + prior_rows))


def group_dro(
    features: FloatMatrix32,
    labels: IntVector,
    groups: Matrix,
    folds: IntVector,
    *,
    base: Vector | None = None,
    penalty: float | None = None,
    most_fall: float = 0.01,
    prior_rows: float = 20.0,
    most_times: float = 30.0,
    rounds: int = 30,
    step: float = 4.0,
) -> GroupWeights:
    """Return weights of the rows under which the worst group errs least, while the average is guarded.

    Parameters
    ----------
    features : (n, d)
    labels : (n,) class numbers
    groups : (n, g) membership in [0, 1]; groups may overlap, and rows may be in none
    folds : (n,) of at least two folds; each is predicted by a fit of the others
    base : (n,) weights to start from, default 1
    penalty : per row, of the fits inside; None for that of `held_out_penalty`
    most_fall : how much the held-out error of all rows may rise, in [0, 1], with one standard error on top
    prior_rows : rows by which a group's error is drawn toward its class's
    most_times : greatest multiplier of a row
    rounds, step : of the game; the step falls with the square root of the round

    Returns
    -------
    GroupWeights

    Raises
    ------
    InputError : fewer than two folds, or lengths that do not fit

    Randomness: none.

    Source: Sagawa, Koh, Hashimoto, Liang (2020), ICLR; Cotter, Jiang, Sridharan (2019), ALT.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((400, 2)), np.arange(400) % 2
    >>> rare = (np.arange(400) % 20 == 1).astype(float)
    >>> x[:, 0] += np.where(rare > 0, -2.0, 4.0 * y)  # the label 1 of the rare group lies where label 0 lies
    >>> found = group_dro(x.astype(np.float32), y, rare[:, None], np.arange(400) // 4 % 2, most_fall=0.1)
    >>> bool(found.after[0] < found.before[0]), bool(found.fall <= 0.1)
    (True, True)
    """
    base = np.ones(len(labels)) if base is None else base
    if groups.ndim != 2 or len(groups) != len(labels):
        raise InputError("groups and labels are not of the same rows")
    penalty = held_out_penalty(features, labels, folds, base) if penalty is None else penalty
    game = _Game.of(_field(features, labels, folds, base), groups, penalty, prior_rows)
    start = game.round(np.zeros(groups.shape[1]), None)
    best = start
    for strength in _BALANCES if groups.shape[1] else ():
        tried = game.round(np.clip(game.balancing(strength), 0.0, most_times - 1), start)
        best = tried if tried.highest_fall <= most_fall and tried.worst < best.worst else best
    at, level = best, best.worst
    for number in range(rounds if groups.shape[1] else 0):
        rate = 1 / np.sqrt(1 + number / 4)
        level += (0.15 if at.highest_fall > most_fall else -0.15) * rate * at.worst
        multipliers = (at.multipliers + _FIRST) * np.exp(step * rate * (at.errors - level)) - _FIRST
        at = game.round(np.clip(multipliers, 0.0, most_times - 1), start)
        best = at if at.highest_fall <= most_fall and at.worst < best.worst else best
    weights = group_weights(game.base, groups, best.multipliers)
    return GroupWeights(weights, best.multipliers, start.errors, best.errors, best.fall)


def group_weights(base: Vector, groups: Matrix, multipliers: Vector) -> Vector:
    """Return the rows' weights with the mean of `base`; a row of several groups counts for the neediest; (n,), (n, g), (g,) -> (n,)."""
    weights = base * (1 + (groups * multipliers).max(axis=1, initial=0.0))
    return np.asarray(weights * (base.mean() / weights.mean()))


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """Multipliers, and what held-out rows say of the fits under them."""

    multipliers: Vector
    errors: Vector
    wrong: Vector
    fall: float
    highest_fall: float

    @property
    def worst(self) -> float:
        """The error of the worst group."""
        return float(self.errors.max(initial=0.0))


@dataclass(slots=True, eq=False)
class _Part:
    """A fold: the rows held out and the others, the last fit to these, and its curvature, which makes later fits fast."""

    held: IntVector
    inside: IntVector
    held_rows: Matrix
    inside_rows: Matrix
    fitted: SoftmaxFit | None = None
    known: BlockCurvature | None = None

    def probs(self, targets: Matrix, weights: Vector, design: Design) -> Matrix | None:
        """Return what a fit of the others predicts of the rows held out; None where no other row counts."""
        weights = weights[self.inside]
        if not weights.sum() > 0:
            return None
        self.fitted = softmax_regression.fit(
            self.inside_rows,
            targets[self.inside],
            weights,
            design,
            self.fitted,
            known_curvature=self.known,
            tolerance=_LOOSE,
        )
        if self.known is None:
            self.known = softmax_regression.curvature(self.inside_rows, weights, design, self.fitted)
        return softmax_regression.predict_proba(self.held_rows, self.fitted)


@dataclass(frozen=True, slots=True, eq=False)
class _Game:
    """What all rounds share."""

    parts: list[_Part]
    design: Design
    targets: Matrix
    labels: IntVector
    groups: Matrix
    base: Vector
    prior_rows: float

    @classmethod
    def of(cls, field: _Field, groups: Matrix, penalty: float, prior_rows: float) -> _Game:
        """Return a game in which nothing was fitted yet."""
        parts = [_Part(*fold) for fold in field.folds]
        design = replace(field.design, l2=penalty)
        return cls(parts, design, field.targets, field.labels, groups, field.base, prior_rows)

    def loss(self) -> float:
        """Return the log loss of held-out rows under the weights at the start."""
        missed = self.play(self.base)[1]
        return float(-(self.base @ np.log(np.maximum(1 - missed, 1e-12))))

    def balancing(self, strength: float) -> Vector:
        """Return the multipliers under which groups come nearer to one size."""
        sizes = np.maximum((self.groups * self.base[:, None]).sum(axis=0), 1e-12)
        return np.asarray((sizes.max() / sizes) ** strength - 1)

    def round(self, multipliers: Vector, start: _Round | None) -> _Round:
        """Return what held-out rows say of the fits under these multipliers."""
        wrong, missed = self.play(group_weights(self.base, self.groups, multipliers))
        soft = _SOFT * missed + (1 - _SOFT) * wrong
        errors = group_errors(soft, self.labels, self.groups, self.base, self.prior_rows)
        shares = self.base / self.base.sum()
        worse = wrong - (wrong if start is None else start.wrong)
        fall = float(shares @ worse)
        return _Round(multipliers, errors, wrong, fall, fall + float(np.sqrt(shares**2 @ (worse - fall) ** 2)))

    def play(self, weights: Vector) -> tuple[Vector, Vector]:
        """Return which rows fits without their fold get wrong, and the probability that these give to other classes."""
        wrong, missed = np.zeros(len(self.labels)), np.zeros(len(self.labels))
        for part in self.parts:
            probs = part.probs(self.targets, weights, self.design)
            if probs is not None:
                own = self.labels[part.held]
                wrong[part.held] = probs.argmax(axis=1) != own
                missed[part.held] = 1 - probs[np.arange(len(own)), own]
        return wrong, missed


def held_out_penalty(features: FloatMatrix32, labels: IntVector, folds: IntVector, base: Vector) -> float:
    """Return the penalty per row under which fits of the others tell held-out rows best, by log loss; (n, d), (n,), (n,), (n,).

    From the strongest on, each a tenth of the one before, until one is no better than the one before it.

    Raises
    ------
    InputError : fewer than two folds, or lengths that do not fit
    """
    best, least = _PENALTIES[0], np.inf
    field = _field(features, labels, folds, base)
    for penalty in _PENALTIES:
        loss = _Game.of(field, np.zeros((len(labels), 0)), penalty, 0.0).loss()
        if loss >= least:
            break
        best, least = penalty, loss
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """Rows on their axes, in folds: what games share whatever their groups and penalty."""

    design: Design
    targets: Matrix
    labels: IntVector
    base: Vector
    folds: list[tuple[IntVector, IntVector, Matrix, Matrix]]
    """Rows held out and the others: where they stand, and their coordinates."""


def _field(features: FloatMatrix32, labels: IntVector, folds: IntVector, base: Vector) -> _Field:
    if not len(features) == len(labels) == len(folds) == len(base):
        raise InputError("features, labels, folds and weights are not of the same rows")
    if len(np.unique(folds)) < 2:
        raise InputError("held-out errors need at least two folds", next_step="deal the rows to folds first")
    design = softmax_regression.prepare(features, min(_PENALTIES))
    projected, targets = design.project(features), np.eye(int(labels.max()) + 1)[labels]
    places = [(np.flatnonzero(folds == f), np.flatnonzero(folds != f)) for f in np.unique(folds)]
    parts = [(held, inside, projected[held], projected[inside]) for held, inside in places]
    return _Field(design, targets, labels, base, parts)
