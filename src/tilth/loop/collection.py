"""The collection brief of a slice: what to gather, and how many rows for which gain of the slice's score.

The labelled train rows stand in five folds. Outside each, the held learner is fitted to all rows beside the slice and to nested parts
of the slice's rows, from few to all of them, and scored on the slice's rows in the fold. The curve over the number of the *slice's*
rows is then carried on by the laws of numerics/learning_curve. Where it is flat, more of these rows are not what is lacking.

Forecasts are for rows that come as the slice's rows came: the same mix of classes, as dirty, from the same sources.

Source: Viering, Loog (2023), The Shape of Learning Curves: a Review, IEEE TPAMI 45; Chen, Johansson, Sontag (2018), Why Is My Classifier
Discriminatory?, NeurIPS (a group's learning curve tells whether to gather more of its rows or to measure more of each).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.collection_brief import CollectionBrief
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.ids import cell_digests
from tilth.core.learning_curve import CurveForecast, CurvePoint
from tilth.core.names import ROW_ID
from tilth.core.progress import Progress, silent
from tilth.core.rng import row_uniforms
from tilth.loop._curve_noise import drawn_noise, kinds_of, rows_noise, weights_of
from tilth.loop.bench import Bench
from tilth.loop.curve import MEASURED_ROWS, Measured
from tilth.loop.folds import folds_of, together_of
from tilth.loop.frames import made_rows
from tilth.loop.visibility import may_tell
from tilth.numerics.learning_curve import FittedCurve

__all__ = ["FEWEST_ROWS", "collection_brief", "slice_curve"]

FEWEST_ROWS = 60
"""Labelled rows of a slice below which its curve is not measured."""
SIZES, SMALLEST, HALVINGS = 5, 10, 4
FACTORS = (1.5, 2.0, 4.0)
MOST_FACTOR = 16.0
"""How far the number of rows for a wanted gain is looked for; beyond it laws say little."""
LEAST_USEFUL = 0.005
"""Gain that would be noticed, in the unit of the metric; of the slice's mean error for numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceCurve:
    """Scores on a slice's held-out rows at some numbers of its rows, and the score of each row at the largest."""

    measured: Measured
    labels: np.ndarray
    last: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parts:
    """Labelled train rows: their folds, which are inside the slice, and in which order parts take these in."""

    rows: IntVector
    folds: IntVector
    together: IntVector
    inside: Mask
    draws: Vector

    def each(self, sizes: IntVector) -> Iterator[tuple[int, int, IntVector]]:
        """Yield fold, place of the size, and positions in train of the rows to learn from."""
        for fold in np.unique(self.folds).tolist():
            outside = self.folds != fold
            beside = np.flatnonzero(outside & ~self.inside)
            taken = np.flatnonzero(outside & self.inside)
            leaders = np.full(int(self.together.max(initial=0)) + 1, np.inf)
            np.minimum.at(leaders, self.together[taken], self.draws[taken])  # a group comes whole, as new groups would
            taken = taken[np.lexsort((self.draws[taken], leaders[self.together[taken]]))]
            for place, size in enumerate(sizes.tolist()):
                yield fold, place, np.sort(self.rows[np.concatenate([beside, taken[:size]])])


def slice_curve(bench: Bench, inside: Mask, progress: Progress = silent) -> SliceCurve:
    """Return the scores of the held learner on a slice, learnt from fewer of the slice's rows and from all others.

    Parameters
    ----------
    bench : the version's
    inside : (n,) of the bench's train rows, which are in the slice
    progress : told of each fit

    Randomness: the seed of the bench and the ids of the rows decide everything.

    Raises
    ------
    NotApplicable : fewer than 60 labelled rows are in the slice
    """
    parts = _parts(bench, inside)
    labels = bench.labels(bench.train)[0][parts.rows]
    sizes = _sizes(parts)
    scores = np.zeros((len(sizes), len(labels)))
    for done, (fold, place, rows) in enumerate(parts.each(sizes)):
        progress("collection", f"{sizes[place]:,} rows of the slice", done, len(sizes) * len(np.unique(parts.folds)))
        model = bench.fit_train(bench.train.take(pa.array(rows)))
        held = np.flatnonzero((parts.folds == fold) & parts.inside)
        predicted = bench.predict(model, bench.train_positions[parts.rows[held]])
        scores[place, held] = bench.metric.measure(labels[held], predicted)
    kept = np.flatnonzero(parts.inside)
    measured = _measured(bench, scores[:, kept], labels[kept], parts.folds[kept], parts.together[kept], sizes)
    return SliceCurve(measured=measured, labels=labels[kept], last=scores[-1, kept])


def collection_brief(
    bench: Bench, name: str, rule: str, inside: Mask, *, wanted: float = 0.02, progress: Progress = silent
) -> CollectionBrief:
    """Return what to gather for a slice: its rule and classes, how many rows, and what they are likely to bring.

    Parameters
    ----------
    bench : the version's
    name, rule : of the slice, as people read them: "where age < 25"
    inside : (n,) of the bench's train rows, which are in the slice
    wanted : gain of the slice's score for which a number of rows is sought, in the unit of the metric
    progress : told of each fit

    Randomness: as `slice_curve`.

    Raises
    ------
    NotApplicable : fewer than 60 labelled rows are in the slice
    """
    found = slice_curve(bench, inside, progress)
    curve, labelled = found.measured.curve, len(found.labels)
    forecasts = tuple(_forecast(curve, labelled, factor) for factor in FACTORS)
    mixes = _mixes(bench, found)
    least = LEAST_USEFUL * (abs(float(found.last.mean())) if bench.schema.task.is_regression else 1.0)
    brief = CollectionBrief(
        slice=name,
        rule=rule,
        metric=bench.schema.task.metric,
        seed=bench.seed,
        labelled=labelled,
        points=tuple(
            CurvePoint(rows=int(n), score=s)
            for n, s in zip(found.measured.sizes, found.measured.estimates(), strict=True)
        ),
        now=curve.forecast(labelled),
        forecasts=forecasts,
        wanted=wanted,
        rows=_rows_for(curve, labelled, wanted),
        is_flat=forecasts[-1].gain.value < least or not _rises(found.measured),
        class_mix=mixes[0],
        error_mix=mixes[1],
    )
    return _with_sentences(brief)


def _parts(bench: Bench, inside: Mask) -> _Parts:
    labelled = np.flatnonzero(bench.labels(bench.train)[1] & ~made_rows(bench.train))
    n_inside = int(inside[labelled].sum())
    if n_inside < FEWEST_ROWS:
        raise NotApplicable(f"the slice has {n_inside:,} labelled train rows; its learning curve needs {FEWEST_ROWS}")
    ids = cell_digests(bench.train.column(ROW_ID))
    draws = row_uniforms(ids, bench.seed, "collection")
    order = np.lexsort((draws[labelled], ~inside[labelled]))  # the slice's rows first: others make room
    rows = np.sort(labelled[order[:MEASURED_ROWS]])
    return _Parts(
        rows=rows,
        folds=folds_of(bench, rows),
        together=together_of(bench, rows),
        inside=inside[rows],
        draws=draws[rows],
    )


def _sizes(parts: _Parts) -> IntVector:
    in_folds = np.bincount(parts.folds, parts.inside)
    largest = int(parts.inside.sum() - in_folds.max())
    smallest = max(SMALLEST, round(largest / 2**HALVINGS))
    return np.rint(np.geomspace(smallest, largest, SIZES)).astype(np.intp)


def _measured(
    bench: Bench, scores: Matrix, labels: np.ndarray, folds: IntVector, together: IntVector, sizes: IntVector
) -> Measured:
    """Return the curve with what is uncertain of it, as the learning curve of all rows has it."""
    stratified = bench.metric.stratified
    weights = weights_of(labels, stratified=stratified)
    strata = labels.astype(np.intp) if stratified else np.zeros(len(labels), dtype=np.intp)
    together, folds = np.unique(together, return_inverse=True)[1], np.unique(folds, return_inverse=True)[1]
    drawn = drawn_noise(scores, weights, kinds_of(labels, bench.schema.task), folds, together, sizes)
    best, spread = (0.0, max(float(scores.std()), 1e-9)) if bench.schema.task.is_regression else (1.0, 1.0)
    return Measured(
        sizes=sizes,
        scores=np.minimum(scores @ weights, best),
        covariance=rows_noise(scores, weights, strata, together, spread) + drawn / np.maximum.outer(sizes, sizes),
        drawn=drawn * (int(folds.max()) + 1),
        best=best,
    )


def _forecast(curve: FittedCurve, labelled: int, factor: float) -> CurveForecast:
    rows = round(labelled * factor)
    return CurveForecast(
        what=f"{factor:g}×", rows=rows, score=curve.forecast(rows), gain=curve.gain(rows, since=labelled)
    )


def _rises(measured: Measured) -> bool:
    """Whether the score at the largest number of rows surely exceeds that at the smallest, one-sided at 5 %."""
    contrast = np.zeros(len(measured.sizes))
    contrast[[0, -1]] = -1.0, 1.0
    error = float(np.sqrt(contrast @ measured.covariance @ contrast))
    return float(contrast @ measured.scores) > 1.645 * error


def _rows_for(curve: FittedCurve, labelled: int, wanted: float) -> int | None:
    """Return the fewest further rows with which the wanted gain is expected; None beyond 16 times as many."""
    low, high = labelled, round(labelled * MOST_FACTOR)
    if curve.gain(high, since=labelled).value < wanted:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if curve.gain(middle, since=labelled).value >= wanted else (middle, high)
    return high - labelled


def _mixes(bench: Bench, found: SliceCurve) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return each class's share of the slice's rows, and of its held-out errors."""
    task = bench.schema.task
    if task.is_regression or not may_tell(bench.schema, task.label):
        return {}, {}
    codes = found.labels.astype(np.intp)
    counts = np.bincount(codes, minlength=task.n_classes)
    errors = np.bincount(codes, 1 - found.last, minlength=task.n_classes)
    shares = counts / counts.sum()
    of_errors = errors / errors.sum() if errors.sum() > 0 else shares
    named = [
        {c: float(share) for c, share in zip(task.classes, part, strict=True) if share > 0}
        for part in (shares, of_errors)
    ]
    return named[0], named[1]


# -- in words ----------------------------------------------------------------------------------------------------------


def _with_sentences(brief: CollectionBrief) -> CollectionBrief:
    said = [f"Gather rows {brief.rule} (slice {brief.slice!r}, {brief.labelled:,} labelled train rows now)."]
    if brief.is_flat:
        few, all_of = brief.points[0], brief.points[-1]
        said.append(
            f"Its curve is flat: learnt from {few.rows:,} of its rows the score there is {few.score.value:.3f}, from {all_of.rows:,} "
            f"it is {all_of.score.value:.3f}; {brief.forecasts[-1].what} as many are expected to bring {_gain(brief.forecasts[-1].gain)}. "
            "More of these rows are not what is lacking: relabel its suspects, or add a feature that tells its classes apart."
        )
    else:
        double = brief.forecast("2×")
        assert double is not None
        said.append(
            f"{double.rows - brief.labelled:,} more such rows are expected to bring {_gain(double.gain)} there."
        )
        said.append(_number(brief))
        if double.gain.low <= 0:
            said.append("The interval holds 0: gather some, and measure again before gathering many.")
    if brief.class_mix:
        said.append(f"These figures are for rows as they come: {_mix(brief.class_mix)}.")
        worst = max(brief.error_mix, key=lambda c: brief.error_mix[c] - brief.class_mix.get(c, 0.0))
        if brief.error_mix[worst] > 1.25 * brief.class_mix.get(worst, 0.0):
            said.append(
                f"Of its errors {100 * brief.error_mix[worst]:.0f} % are of class {worst!r}: ask for that class first."
            )
    return replace(brief, sentences=tuple(said))


def _number(brief: CollectionBrief) -> str:
    if brief.rows is None:
        return f"No number up to {MOST_FACTOR:g} times as many is expected to bring {_figure(brief.wanted)}."
    return f"For a gain of {_figure(brief.wanted)}, about {brief.rows:,} more rows are needed."


def _mix(shares: Mapping[str, float]) -> str:
    first = sorted(shares.items(), key=lambda one: -one[1])[:4]
    return ", ".join(f"{100 * share:.0f} % {name!r}" for name, share in first)


def _gain(gain: Estimate) -> str:
    return f"{_figure(gain.value)} [{_figure(gain.low)}, {_figure(gain.high)}]"


def _figure(value: float) -> str:
    return f"{value:+.3f}"
