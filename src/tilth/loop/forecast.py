"""Forecasts: what a proposal is likely to gain, found inside train by an editor that did not see the labels that score it.

An edit is made from labels of all train rows, by way of out-of-sample predictions and what is known of the truth. Scored on some of
those rows it seems to gain a point where it gains nothing, the more so the more rows it touches. So an editor that reads
such evidence proposes anew for each fold, from the other folds alone (loop/apart), and the fold's given labels score that. Other
edits (of what was found, of class sizes) are scored as they are, without the fold's rows.

Labels that score are noisy, and most candidates differ by less than their noise. So half of a class label's say goes to the labels of the
row's nearest neighbours within the fold: wrong labels of a few among twenty hardly count. No model has a part in it, let alone the
one that proposed; and no label from outside the fold. What fills a whole region with wrong labels stays unseen.

    score_i = (measure(y_i, p_i) + mean over the neighbours j of measure(y_j, p_i)) / 2

Where fits of the held learner take long, a commodity learner on the features stands in. It cannot tell what varied rows are worth to a
learner that finds its own features: for edits that vary rows, the held learner itself is trained for a shorter time, outside one fold.

A forecast orders candidates; it decides nothing.

Source: Stone (1974), JRSS B 36, and Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, section 7.10.2 (what the
data chose is part of what cross-validation repeats); Cover, Hart (1967), IEEE Trans. Information Theory 13 (neighbours' labels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.apply import apply, fit_to
from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.names import AUGMENT, ROW_ID
from tilth.core.rng import row_uniforms
from tilth.learning._crossfit import FOLDS
from tilth.loop.apart import Apart
from tilth.loop.bench import Bench, refuse_empty
from tilth.loop.evidence import N_NEIGHBOURS
from tilth.loop.folds import apart_from, folds_of
from tilth.loop.frames import made_rows, target_of, train_part
from tilth.loop.guards import LARGEST_FALL_OF_ALL
from tilth.numerics.neighbours import k_nearest
from tilth.operators.protocols import Editor
from tilth.operators.view import View

__all__ = ["FITS_PER_FORECAST", "SCREENING_ROWS", "SHARED_FITS", "Screening", "screening_of"]

SCREENING_ROWS = 6_000
"""Labelled train rows on which candidates are screened at most, chosen by the digest of their ids."""
SHORT = 0.5
"""Share of a training that screens how rows are varied: varied rows pay late, and shorter trainings would prefer none."""
FITS_PER_FORECAST, SHARED_FITS = FOLDS, FOLDS * (FOLDS - 1) // 2
"""What forecasts cost: a fit for each fold, and for each pair of folds a model that all of them share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """One fold: its number, the train table without it, its rows' positions, and their scores without an edit.

    `labels` (m, n): each row's label, and below it those of its neighbours, nearest first; `shares` (m,) is what each of these counts.
    """

    number: int
    inside: pa.Table
    positions: IntVector
    labels: np.ndarray
    shares: Vector
    baseline: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What the forecasts of one version share."""

    bench: Bench
    apart: Apart
    folds: Sequence[_Fold]
    short: Bench | None = None
    """Where the bench's learner stands in for another: the other one, trained for a shorter time."""
    _memo: dict[str, Matrix] = field(default_factory=dict)

    def forecast(
        self, edit: Edit, editor: Editor, view: View, goal: Mask | None = None, n_folds: int | None = None
    ) -> float:
        """Return the mean gain on held-out rows, of the first folds or of all; 0 where train has too few labelled rows to hold some out.

        With `goal` (n,), a mask over all rows of the version, only held-out rows of that slice count; but what costs the average of all
        held-out rows more than a trial would let pass is forecast to lose that.
        """
        if not self.folds:
            return 0.0
        if self.short is not None and AUGMENT in edit.set:
            return self._short_forecast(self.short, edit, goal)
        folds = self.folds[:n_folds]
        gains = np.hstack([self._gain(fold, edit, editor, view) for fold in folds])
        shares = np.hstack([np.repeat(fold.shares[:, None], len(fold.positions), axis=1) for fold in folds])
        if goal is not None:
            return _of_goal(gains, shares, goal[np.concatenate([fold.positions for fold in folds])])
        if not self.bench.metric.stratified:
            return float(np.average(gains, weights=shares))
        labels = np.hstack([fold.labels for fold in folds])
        of_class = [labels == c for c in np.unique(labels)]
        return float(np.mean([np.average(gains[some], weights=shares[some]) for some in of_class]))

    def _short_forecast(self, bench: Bench, edit: Edit, goal: Mask | None) -> float:
        """Return the mean gain on the first fold's rows by short trainings outside it."""
        fold, key = self.folds[0], f"{edit.edit_id} short"
        if "short" not in self._memo:
            self._memo["short"] = _scores(bench, _predicted(bench, fold.inside, (), fold.positions), fold.labels)
        fitting = fit_to(fold.inside, edit)[0]
        if not fitting.n_rows:
            return 0.0
        if key not in self._memo:
            predicted = _predicted(bench, apply(fold.inside, fitting), (fitting,), fold.positions)
            self._memo[key] = _scores(bench, predicted, fold.labels) - self._memo["short"]
        gains = self._memo[key]
        shares = np.repeat(fold.shares[:, None], len(fold.positions), axis=1)
        if goal is not None:
            return _of_goal(gains, shares, goal[fold.positions])
        return float(np.average(gains, weights=shares))

    def _edit_without(self, fold: _Fold, edit: Edit, editor: Editor, view: View) -> Edit | None:
        """Return what is proposed without a fold's rows; None where there the editor refuses."""
        if not Apart.serves(editor.needs):
            return edit
        try:
            return editor.propose(self.apart.view(view, editor.needs, fold.number))
        except NotApplicable:
            return None

    def _gain(self, fold: _Fold, edit: Edit, editor: Editor, view: View) -> Matrix:
        """Return the gains on a fold's rows, once for each edit."""
        key = f"{edit.edit_id} {fold.number}"
        if key not in self._memo:
            self._memo[key] = self._measured(fold, self._edit_without(fold, edit, editor, view))
        return self._memo[key]

    def _measured(self, fold: _Fold, edit: Edit | None) -> Matrix:
        inside = fold.inside
        if edit is not None and edit.brings_rows:
            inside = pa.concat_tables([inside, self.bench.pool]).combine_chunks()
        fitting = None if edit is None else fit_to(inside, edit)[0]
        if fitting is None or not fitting.n_rows:
            return np.zeros(fold.labels.shape)
        after = apply(inside, fitting)
        predicted = _predicted(self.bench, train_part(after), (fitting,), fold.positions)
        return _scores(self.bench, predicted, fold.labels) - fold.baseline


def _of_goal(gains: Matrix, shares: Matrix, inside: Mask) -> float:
    average = float(np.average(gains, weights=shares))
    if not inside.any() or average < -LARGEST_FALL_OF_ALL:
        return min(average, 0.0)
    return float(np.average(gains[:, inside], weights=shares[:, inside]))


def screening_of(bench: Bench) -> Screening:
    """Return the folds of a version's labelled train rows, each with the scores of a model of the others."""
    short = _short(bench) if bench.is_dear else None
    bench = bench.cheap.rough
    rows = _screened(bench)
    folds = folds_of(bench, rows)
    apart = Apart(bench=bench, rows=rows, folds=folds)
    numbers, sizes = np.unique(folds, return_counts=True)
    found: list[_Fold] = []
    if len(numbers) > 1:
        near = 0 if bench.schema.task.is_regression else min(N_NEIGHBOURS, int(sizes.min()) - 1)
        others = _taught_otherwise(bench)
        found = [_fold(apart, f, near, others) for f in numbers.tolist()]
    return Screening(bench=bench, apart=apart, folds=found, short=short)


def _short(bench: Bench) -> Bench:
    """Return the bench with its learner trained for a shorter time."""
    learner: Any = bench.learner
    return replace(bench, learner=learner.proxy(SHORT), _memo={})


def _screened(bench: Bench) -> IntVector:
    """Return the positions in train of the labelled rows, or of SCREENING_ROWS of them; made rows are no rows to be scored on."""
    labelled = bench.labels(bench.train)[1] & ~made_rows(bench.train)
    order = row_uniforms(cell_digests(bench.train.column(ROW_ID)), bench.seed, "screening")
    rows = np.flatnonzero(labelled)
    return np.sort(rows[np.argsort(order[rows], kind="stable")][:SCREENING_ROWS])


def _taught_otherwise(bench: Bench) -> IntVector:
    """Return the positions in train of what is learnt from beside those: made, voted and open rows; the screened share of them."""
    labelled = bench.labels(bench.train)[1] & ~made_rows(bench.train)
    rows = np.flatnonzero(~labelled & target_of(bench.train, bench.schema).mask)
    order = row_uniforms(cell_digests(bench.train.column(ROW_ID).take(pa.array(rows))), bench.seed, "screening")
    share = min(1.0, SCREENING_ROWS / max(int(labelled.sum()), 1))
    return np.sort(rows[np.argsort(order, kind="stable")][: round(share * len(rows))])


def _fold(apart: Apart, number: int, n_neighbours: int, others: IntVector) -> _Fold:
    bench, outside = apart.bench, apart.folds == number
    positions = apart.positions[outside]
    own = bench.labels(bench.train)[0][apart.rows[outside]]
    labels, shares = own[None, :], np.ones(1)
    if n_neighbours:
        near = k_nearest(bench.features[positions], n_neighbours, metric="euclidean", exclude_self=True).positions
        labels = np.vstack([own[None, :], own[near.T]])
        shares = np.concatenate([[0.5], np.full(n_neighbours, 0.5 / n_neighbours)])
    others = apart_from(bench.train, others, apart.rows[outside])
    inside = bench.train.take(pa.array(np.sort(np.concatenate([apart.rows[~outside], others]))))
    return _Fold(
        number=number,
        inside=inside,
        positions=positions,
        labels=labels,
        shares=shares,
        baseline=_scores(bench, _predicted(bench, inside, (), positions), labels),
    )


def _predicted(bench: Bench, train: pa.Table, edits: tuple[Edit, ...], positions: IntVector) -> Matrix:
    refuse_empty(bench, train)
    model = bench.fit_train(train, edits, start=bench.baseline)
    return bench.predict(model, positions)


def _scores(bench: Bench, predicted: Matrix, labels: np.ndarray) -> Matrix:
    """Return the scores (m, n) of predictions (n, k) under each of several labels (m, n) of a row."""
    return np.stack([bench.metric.measure(some, predicted) for some in labels])
