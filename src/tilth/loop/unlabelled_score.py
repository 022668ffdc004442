"""The score to be expected on a new table without labels, by the version's model and the same feature code.

Estimators go by labelled dev rows, which no edit touches and the model did not learn from. Dev has chosen among edits, so its score
flatters a little; nothing is chosen here, and no look is spent. Foreign rows are measured against the train rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.expected_score import ExpectedScore, ForeignRow
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID, Split
from tilth.core.new_slice import NewSlice
from tilth.core.rng import row_uniforms
from tilth.core.spec import Spec
from tilth.loop.bench import Bench, Judged
from tilth.loop.new_slices import SliceOfNew, lines_of, slices_of_new
from tilth.loop.predict import NewRows, Predicted, new_rows, predicted_of
from tilth.loop.workshop import Workshop
from tilth.monitoring._ensemble import FEWEST_LABELLED, ensemble
from tilth.monitoring._shared import WHAT_IT_CANNOT_KNOW, labels_worth_as_much
from tilth.numerics.calibration import apply_temperature, fit_temperature
from tilth.numerics.intervals import mean_interval
from tilth.operators.needs import NEEDS
from tilth.operators.protocols import Metric, Outlyingness, ScoreEstimator
from tilth.operators.registry import make, names, spec_of
from tilth.operators.view import View
from tilth.store.version import Version

__all__ = ["UnlabelledScore", "estimated_score"]

_MOST_ROWS = 20_000
"""Train rows and new rows that are looked at, drawn where there are more."""
_MOST_FOREIGN = 10
_MOST_SLICES = 12
_USUAL = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class UnlabelledScore:
    """What is to be expected of new rows, and their predictions."""

    score: ExpectedScore
    predicted: Predicted


@dataclass(frozen=True, kw_only=True, eq=False)
class _Dev:
    """Labelled dev rows with what the model says of them."""

    judged: Judged
    scores: Vector
    metric: str
    predicted: Matrix
    temperature: float


def estimated_score(
    workshop: Workshop, version: Version, table: pa.Table, notes: Sequence[str] = ()
) -> UnlabelledScore:
    """Return the expected score of a version's model on a table without labels; labels that it has are not read.

    Raises
    ------
    NotApplicable
        Fewer than 100 dev rows have a label, or no estimator can say.
    SchemaChangedError
        A column that the model reads is missing.
    """
    whole = new_rows(workshop, version, table)
    bench = workshop.bench(version)
    new = _some_new(bench, whole)
    dev = _dev_rows(bench)
    told, said = slices_of_new(workshop, version, whole.table, whole.features, whole.predicted)
    by_slice = _BySlice(bench, dev, whole, new, told)
    everything = frozenset(NEEDS)
    spec = Spec(room="monitoring", name="ensemble")
    known, unknown = by_slice.memberships()
    reference = _view(bench, _ids_of(bench, dev.judged.positions), _dev_evidence(bench, dev) | known, everything, spec)
    current = _view(bench, new.row_ids, _new_evidence(bench, new, dev.temperature) | unknown, everything, spec)
    found = ensemble(_estimators(), reference, current)
    share, foreign = _foreign(bench, dev, new)
    score = ExpectedScore(
        metric=dev.metric,
        version=version.version,
        rows=len(whole.features),
        expected=found.estimate,
        parts=found.parts,
        refused=found.refused,
        known=mean_interval(dev.scores, groups=dev.judged.groups, bounds=_bounds(dev.scores)),
        known_rows=len(dev.judged),
        distance=found.distance,
        reach=found.reach,
        foreign_share=share,
        foreign=foreign,
        labels_worth_as_much=labels_worth_as_much(found.estimate, dev.scores),
        cannot_know=WHAT_IT_CANNOT_KNOW,
        warnings=(*new.warnings, *_of_metric(bench, dev), *_of_rows(whole, new), *notes, *said),
    )
    lines = lines_of(told, workshop.dataset(version))
    scored = tuple(by_slice.scored(line, one) for line, one in zip(lines, told, strict=True))
    return UnlabelledScore(score=score, predicted=replace(predicted_of(whole, version), slices=scored))


@dataclass(frozen=True, eq=False)
class _BySlice:
    """Slices of dev rows and new rows: as what estimators weigh by, and each with a score of its own."""

    bench: Bench
    dev: _Dev
    whole: NewRows
    new: NewRows
    told: Sequence[SliceOfNew]

    def memberships(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return declared slices as evidence of dev rows and of new rows; nothing where none is declared."""
        declared = [one for one in self.told if one.is_declared]
        if not declared:
            return {}, {}
        known = {one.name: one.rows[self.dev.judged.positions].astype(np.float64) for one in declared}
        return {"slices": known}, {"slices": {one.name: self._of_new(one).astype(np.float64) for one in declared}}

    def scored(self, line: NewSlice, one: SliceOfNew) -> NewSlice:
        """Return a line with the score to be expected on its new rows, by the dev rows of the slice alone."""
        here, there = one.rows[self.dev.judged.positions], self._of_new(one)
        if here.sum() < FEWEST_LABELLED:
            return replace(line, reason=f"{here.sum():,} labelled dev rows; {FEWEST_LABELLED} are needed")
        if one.name not in self.most():
            return replace(line, reason=f"scores are estimated for the {_MOST_SLICES} slices with most dev rows")
        if not there.any():
            return replace(line, reason="none of the new rows")
        try:
            found = ensemble(_estimators(), *self._views(here, there))
        except NotApplicable as refusal:
            return replace(line, reason=refusal.what)
        groups = self.dev.judged.groups
        own = None if groups is None else np.unique(groups[here], return_inverse=True)[1]
        scores = self.dev.scores[here]
        known = mean_interval(scores, groups=own, bounds=_bounds(self.dev.scores))
        return replace(line, expected=found.estimate, known=known)

    def most(self) -> set[str]:
        """Return the names of the slices that get a score: each costs about a second."""
        positions = self.dev.judged.positions
        order = sorted(self.told, key=lambda one: (-int(one.rows[positions].sum()), one.name))
        return {one.name for one in order[:_MOST_SLICES]}

    def _views(self, here: Mask, there: Mask) -> tuple[View, View]:
        spec, everything = Spec(room="monitoring", name="ensemble"), frozenset(NEEDS)
        sides = []
        for rows, ids, evidence in (
            (here, _ids_of(self.bench, self.dev.judged.positions), _dev_evidence(self.bench, self.dev)),
            (there, self.new.row_ids, _new_evidence(self.bench, self.new, self.dev.temperature)),
        ):
            cut = {name: values[rows] for name, values in evidence.items()}
            sides.append(_view(self.bench, ids.take(pa.array(np.flatnonzero(rows))), cut, everything, spec))
        return sides[0], sides[1]

    def _of_new(self, one: SliceOfNew) -> Mask:
        """Return which of the new rows that are looked at belong to a slice."""
        return one.new_rows[_drawn(self.whole.row_ids, self.bench.seed)]


def _estimators() -> Mapping[str, ScoreEstimator]:
    return {name: make("monitoring", name) for name in names("monitoring", "estimate")}


def _dev_rows(bench: Bench) -> _Dev:
    """Return the labelled dev rows, scored row by row; the mean over classes is no mean over rows, so accuracy stands in."""
    judged = bench.judged(Split.DEV)
    if not len(judged):
        raise NotApplicable("no dev row has a label: there is nothing to go by", next_step="tilth ask --split dev")
    predicted = bench.predict(bench.baseline, judged.positions)
    stands_in = bench.metric.stratified and not bench.schema.task.is_regression
    metric: Metric = make("evaluation", "accuracy") if stands_in else bench.metric
    scores = np.asarray(metric.measure(judged.labels, predicted), dtype=np.float64)
    temperature = 1.0
    if not bench.schema.task.is_regression:
        temperature = fit_temperature(_logs(predicted), judged.labels.astype(np.intp))
    name = "accuracy" if stands_in else bench.schema.task.metric
    return _Dev(judged=judged, scores=scores, metric=name, predicted=predicted, temperature=temperature)


def _dev_evidence(bench: Bench, dev: _Dev) -> dict[str, Any]:
    rows = dev.judged.positions
    known = "numbers" if bench.schema.task.is_regression else "labels"
    return _said_of(bench, dev.predicted, dev.temperature) | {
        "embeddings": bench.features[rows],
        "scores": dev.scores,
        known: dev.judged.labels,
        "labelled": np.ones(len(rows), dtype=bool),
    }


def _new_evidence(bench: Bench, new: NewRows, temperature: float) -> dict[str, Any]:
    return _said_of(bench, new.predicted, temperature) | {"embeddings": new.features}


def _said_of(bench: Bench, predicted: Matrix, temperature: float) -> dict[str, Any]:
    if bench.schema.task.is_regression:
        return {"predictions": predicted[:, 0]}
    return {"pred_probs": apply_temperature(_logs(predicted), temperature)}


def _logs(probs: Matrix) -> Matrix:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(probs), dtype=np.float64)


def _view(bench: Bench, ids: pa.Array, evidence: Mapping[str, Any], needs: frozenset[str], spec: Spec) -> View:
    return View(ids=ids, schema=bench.schema, evidence=evidence, needs=needs, spec=spec, seed=bench.seed)


def _ids_of(bench: Bench, rows: IntVector) -> pa.Array:
    return bench.table.column(ROW_ID).combine_chunks().take(pa.array(rows))


def _foreign(bench: Bench, dev: _Dev, new: NewRows) -> tuple[float, tuple[ForeignRow, ...]]:
    """Return the share of new rows beyond 95 % of the dev rows, and the most foreign ones."""
    operator: Outlyingness = make("monitoring", "knn_distance")
    rows, spec = _some_train(bench), spec_of(operator)
    if not len(rows):
        raise NotApplicable("there are no train rows to be unlike")
    train, known = (
        _view(bench, _ids_of(bench, at), {"embeddings": bench.features[at]}, operator.needs, spec)
        for at in (rows, dev.judged.positions)
    )
    current = _view(bench, new.row_ids, {"embeddings": new.features}, operator.needs, spec)
    distances = operator.outlying(train, current)
    usual = float(np.quantile(operator.outlying(train, known), _USUAL))
    worst = np.argsort(-distances, kind="stable")[:_MOST_FOREIGN]
    worst = worst[distances[worst] > usual]
    called = new.ids.take(pa.array(worst)).to_pylist()
    found = tuple(
        ForeignRow(row=str(row), distance=float(distances[at])) for row, at in zip(called, worst, strict=True)
    )
    return float((distances > usual).mean()), found


def _some_train(bench: Bench) -> IntVector:
    """Return the train rows, or 20,000 of them."""
    rows = bench.train_positions
    return np.asarray(rows[_drawn(_ids_of(bench, rows), bench.seed)], dtype=np.intp)


def _some_new(bench: Bench, new: NewRows) -> NewRows:
    """Return the new rows, or 20,000 of them: more cost memory and hardly make an estimate surer."""
    rows = _drawn(new.row_ids, bench.seed)
    if len(rows) == len(new.features):
        return new
    at = pa.array(rows)
    return replace(
        new,
        ids=new.ids.take(at),
        row_ids=new.row_ids.take(at),
        features=new.features[rows],
        predicted=new.predicted[rows],
    )


def _drawn(ids: pa.Array, seed: int) -> IntVector:
    """Return the places of all ids, or of 20,000 by their digests."""
    if len(ids) <= _MOST_ROWS:
        return np.arange(len(ids))
    draws = row_uniforms(cell_digests(ids), seed, "monitoring", "rows")
    return np.sort(np.argsort(draws, kind="stable")[:_MOST_ROWS])


def _bounds(scores: Vector) -> tuple[float, float] | None:
    return (0.0, 1.0) if np.isin(scores, (0.0, 1.0)).all() else None


def _of_metric(bench: Bench, dev: _Dev) -> tuple[str, ...]:
    named = bench.schema.task.metric
    if dev.metric == named:
        return ()
    return (f"the expected score is {dev.metric}: {named} needs the shares of classes, which only labels tell",)


def _of_rows(whole: NewRows, new: NewRows) -> tuple[str, ...]:
    if len(new.features) == len(whole.features):
        return ()
    return (f"the expected score goes by {len(new.features):,} of {len(whole.features):,} new rows, drawn at random",)
