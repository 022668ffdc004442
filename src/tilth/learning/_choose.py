"""Choose the learner and its settings once, by cross-validation on unedited data; then they are held.

Every setting predicts every row out of sample. A row's loss is its log loss under the calibrated probabilities, or its squared
error: where labels are noisy it still falls as the probabilities near the truth, while errors of given labels hardly tell settings
apart and favour those that fit the noise. But a penalty that leaves little beside the class shares can have as good a loss and decide
every doubtful row for the larger class, so decisions have a veto: a setting lags by the larger of two paired differences in
standard errors, of its loss to the least one and of its score to the best one. The simplest setting, of the simplest learner, that
lags by at most one wins; if there is none, the one that lags least.

Source: Breiman et al. (1984), Classification and Regression Trees, section 3.4.3 (one-standard-error rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms
from tilth.core.schema import ColumnType, Schema
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.learning._crossfit import calibrated, part_of, predicted_by_fold, roughly
from tilth.operators.protocols import Learner
from tilth.operators.registry import spec_of
from tilth.operators.view import View

__all__ = ["Choice", "Tried", "choose", "default_learners"]

ROWS = 20_000
CELLS = 250_000
"""Rows times classes that the choice looks at: 20,000 rows of up to 12 classes, 3,200 rows of 77."""
_RICH = frozenset({ColumnType.TEXT, ColumnType.IMAGE, ColumnType.EMBEDDING})
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One setting: its mean out-of-sample loss (lower is better), the standard error, and its metric.

    `score` is accuracy, or minus the mean absolute error; `behind` is by how many standard errors it lags behind the best.
    """

    learner: Spec
    loss: float
    error: float
    score: float
    behind: float
    chosen: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"learner": self.learner.to_dict()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The learner that is held, every setting that was tried, and the rows that decided."""

    learner: Learner
    tried: tuple[Tried, ...]
    n_rows: int


def default_learners(schema: Schema) -> tuple[Learner, ...]:
    """Return the learners that compete: linear always, boosting for tables of numbers, categories and dates only."""
    from tilth.learning.boosting import Boosting
    from tilth.learning.boosting_regression import BoostingRegression
    from tilth.learning.linear import Linear
    from tilth.learning.ridge import Ridge

    regression = schema.task.is_regression
    linear: Learner = Ridge() if regression else Linear()
    if not schema.features or any(column.type in _RICH for column in schema.features):
        return (linear,)
    return (linear, BoostingRegression() if regression else Boosting())


def choose(
    learners: Sequence[Learner], view: View, target: Target, folds: IntVector, *, rows: int = ROWS, cells: int = CELLS
) -> Choice:
    """Return the simplest setting that is as good as the best by cross-validation, and the table of all that were tried.

    A grid is walked from its simplest setting and left when two settings in a row are clearly worse than its best.
    Above `rows` rows (or `cells` rows times classes) a part drawn by row id decides; penalties are totals, so that they suit all rows.

    Parameters
    ----------
    learners : simplest first; each offers its grid, simplest setting first
    view : n train rows with all that the learners need
    target : their targets
    folds : (n,) from `fold_numbers`; the same folds for every setting, so that rows pair up
    rows : most rows that decide
    cells : most rows times classes that decide

    Raises
    ------
    NotApplicable : there is no learner, or fewer than two folds hold labelled rows

    Randomness: draws keyed by row id and the run's seed; the learners' own.

    Source: Breiman et al. (1984), Classification and Regression Trees, section 3.4.3.
    """
    if not learners:
        raise NotApplicable("there is no learner to choose from")
    chosen = _part(view, target, min(rows, cells // max(view.n_classes, 1)))
    part, wanted, fold = target.take(chosen), folds[chosen], _union(learners)
    seen = part_of(view, frozenset(need for need in fold if view.has(need)), chosen)  # type: ignore[arg-type]
    walks = [_walk(learner, seen, part, wanted) for learner in learners]
    entries = [entry for walk in walks for entry in walk]
    best, top = min(entries, key=lambda entry: entry.loss), max(entries, key=lambda entry: entry.score)
    lags = [max(entry.behind(best), entry.short_of(top)) for entry in entries]
    simple = [number for number, lag in enumerate(lags) if lag <= 1.0]
    held = simple[0] if simple else int(np.argmin(lags))
    table = tuple(entry.report(lags[number], chosen=number == held) for number, entry in enumerate(entries))
    return Choice(learner=entries[held].learner, tried=table, n_rows=len(chosen))


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A setting with the loss, the score and the weight of every row that has a target."""

    learner: Learner
    losses: Vector
    scores: Vector
    weights: Vector

    @property
    def loss(self) -> float:
        """The weighted mean loss."""
        return float(self.weights @ self.losses / self.weights.sum())

    @property
    def score(self) -> float:
        """The weighted mean score."""
        return float(self.weights @ self.scores / self.weights.sum())

    def behind(self, other: _Entry) -> float:
        """Return by how many standard errors of the paired difference the loss is larger than another's."""
        return _in_errors(self.losses - other.losses, self.weights)

    def short_of(self, other: _Entry) -> float:
        """Return by how many standard errors of the paired difference the score is lower than another's."""
        return _in_errors(other.scores - self.scores, self.weights)

    def report(self, lag: float, *, chosen: bool) -> Tried:
        """Return what the table of tried settings says of this one."""
        loss, error = _mean_and_error(self.losses, self.weights)
        spec = spec_of(self.learner)
        return Tried(learner=spec, loss=loss, error=error, score=self.score, behind=round(lag, 3), chosen=chosen)


def _walk(learner: Learner, view: View, target: Target, folds: IntVector) -> list[_Entry]:
    tried: list[_Entry] = []
    for setting in learner.grid():
        predicted = predicted_by_fold(roughly(setting), view, target, folds)
        tried.append(_entry(setting, calibrated(predicted, target), target))
        best = min(tried, key=lambda entry: entry.loss)
        if len(tried) > 2 and all(entry.behind(best) > 1.0 for entry in tried[-2:]) and best not in tried[-2:]:
            break
    return tried


def _entry(learner: Learner, predicted: Matrix, target: Target) -> _Entry:
    rows = np.flatnonzero(target.mask & (target.weights > 0))
    if target.distribution is not None:
        wanted = target.distribution[rows]
        losses = -(wanted * np.log(np.maximum(predicted[rows], _TINY))).sum(axis=1)
        scores = wanted[np.arange(len(rows)), predicted[rows].argmax(axis=1)]
    else:
        assert target.numbers is not None
        misses = predicted[rows, 0] - target.numbers[rows]
        losses, scores = misses**2, -np.abs(misses)
    return _Entry(learner, losses, scores, target.weights[rows])


def _mean_and_error(values: Vector, weights: Vector) -> tuple[float, float]:
    """Return the weighted mean and its standard error."""
    shares = weights / weights.sum()
    mean = float(shares @ values)
    return mean, float(np.sqrt(shares**2 @ (values - mean) ** 2))


def _in_errors(differences: Vector, weights: Vector) -> float:
    """Return the weighted mean in its standard errors."""
    mean, error = _mean_and_error(differences, weights)
    return mean / error if error > 0 else 0.0


def _part(view: View, target: Target, limit: int) -> IntVector:
    """Return the rows with a target, or the `limit` of them with the smallest draws, in the order of the view."""
    rows = np.flatnonzero(target.mask)
    if len(rows) <= limit:
        return rows
    digests = cell_digests(view.ids)[rows]
    draws = row_uniforms(digests, view.seed, "learning", "choose")
    return np.sort(rows[np.lexsort((digests[:, 1], digests[:, 0], draws))[:limit]])


def _union(learners: Sequence[Learner]) -> frozenset[str]:
    return frozenset().union(*(learner.needs for learner in learners))
