"""The learning curve of a version: scores of the held learner at fewer rows, measured inside train.

The labelled train rows stand in five folds. Outside each, the learner is fitted to nested parts of the rows, from few to all of them,
and scored on the fold. Dev and test are not read, so nothing of the error budget is spent. Six sizes, each at most twice the one
before: all fits together cost about two cross-validations, and up to three and a half where rows are few.

    covariance of the sizes' scores = that of the held-out rows, which all sizes share
                                    + that of the drawn parts: what folds differ by beyond their rows, falling with the size

A row of a group comes with its group, as new groups would; copies of a row likewise.

Source: Viering, Loog (2023), The Shape of Learning Curves: a Review, IEEE TPAMI 45, section 3 (measured by nested parts, held-out rows
paired); Cover, Hart (1967), IEEE Trans. Information Theory 13, and Rimanic, Renggli, Li, Zhang (2020), On Convergence of Nearest
Neighbor Classifiers over Feature Transformations, NeurIPS (the least bound over several encodings, and how it settles).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import LabelError
from tilth.core.estimate import Estimate
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID
from tilth.core.progress import Progress, silent
from tilth.core.rng import row_uniforms
from tilth.loop._curve_noise import drawn_noise, kinds_of, rows_noise, weights_of
from tilth.loop.bench import Bench
from tilth.loop.folds import folds_of, together_of
from tilth.loop.frames import made_rows, train_rows
from tilth.numerics.learning_curve import FittedCurve, fit_curve
from tilth.numerics.neighbour_bound import mae_bound, share_bound
from tilth.numerics.neighbours import k_nearest
from tilth.operators.protocols import Model

__all__ = ["MEASURED_ROWS", "Bound", "Measured", "bound_of", "learning_curve_of"]

MEASURED_ROWS = 20_000
"""Labelled train rows on which a curve is measured at most, chosen by the digest of their ids."""
SIZES = 6
HALVINGS = 5
"""The smallest part is this many halvings of the largest, unless that were fewer rows than can be learnt from."""
FEWEST, FEWEST_PER_CLASS = 30, 2
"""Rows of the smallest part."""
LEAST_SPAN = 4
"""Largest over smallest part: less of a span says nothing about a curve."""
BOUND_ROWS = 4_000
"""Rows whose nearest neighbour is sought."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Scores at some sizes.

    Parameters
    ----------
    sizes : (m,) rows learnt from, rising
    scores : (m,) in the unit of the metric, higher is better
    covariance : (m, m) of these scores
    drawn : variance of the score over the draw of n rows to learn from, times n
    best : the greatest score that there is
    """

    sizes: IntVector
    scores: Vector
    covariance: Matrix
    drawn: float
    best: float

    @property
    def curve(self) -> FittedCurve:
        """The laws that fit these scores."""
        sizes = self.sizes.astype(np.float64)
        return fit_curve(sizes, self.scores, self.covariance, best=self.best, drawn=self.drawn)

    def estimates(self) -> tuple[Estimate, ...]:
        """Return each score with its 95 % interval; the sizes share most of their noise."""
        errors = np.sqrt(np.diag(self.covariance))
        return tuple(_around(float(s), float(e), self.best) for s, e in zip(self.scores, errors, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bound:
    """The best score that labels and features allow by the nearest neighbour, for growing numbers of rows to find it among.

    Parameters
    ----------
    encoding : which features
    sizes : (m,) rows among which neighbours are found, rising
    scores : the bound at each size
    """

    encoding: str
    sizes: IntVector
    scores: tuple[Estimate, ...]

    @property
    def value(self) -> Estimate:
        """The bound from most rows."""
        return self.scores[-1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parts:
    """Labelled train rows in folds, and the order in which parts take them in.

    Parameters
    ----------
    rows : (n,) positions in the train table
    folds, together : (n,) fold of each, and code of what belongs together
    """

    bench: Bench
    rows: IntVector
    folds: IntVector
    together: IntVector

    def outside(self, fold: int) -> IntVector:
        """Return places of the rows outside a fold, in the order in which parts take them in; it is another for each fold."""
        inside = np.flatnonzero(self.folds != fold)
        ids = cell_digests(self.bench.train.column(ROW_ID).take(pa.array(self.rows[inside])))
        codes = np.unique(self.together[inside], return_inverse=True)[1]
        by_digest = np.lexsort((ids[:, 1], ids[:, 0], codes))
        leaders = by_digest[np.unique(codes[by_digest], return_index=True)[1]]
        first = row_uniforms(ids[leaders], self.bench.seed, "curve", "groups", fold)[codes]
        own = row_uniforms(ids, self.bench.seed, "curve", "rows", fold)
        return inside[np.lexsort((ids[:, 0], own, codes, first))]

    def sizes(self) -> IntVector:
        """Return the sizes of the parts, from few to all rows outside the largest fold."""
        largest = len(self.rows) - int(np.bincount(self.folds).max())
        smallest = max(FEWEST, FEWEST_PER_CLASS * self.bench.schema.task.n_classes, round(largest / 2**HALVINGS))
        if largest < LEAST_SPAN * smallest:
            need = -(-LEAST_SPAN * smallest * 5 // 4)
            raise LabelError(
                f"{len(self.rows):,} labelled train rows are too few to measure a learning curve by",
                where=f"column {self.bench.schema.task.label!r}",
                next_step=f"label about {need:,} train rows",
            )
        return np.rint(np.geomspace(smallest, largest, SIZES)).astype(np.intp)


def learning_curve_of(bench: Bench, progress: Progress = silent) -> Measured:
    """Return the scores of the held learner on held-out train rows, at some sizes.

    Randomness: the seed of the bench and the ids of the rows decide everything.

    Raises
    ------
    LabelError : too few labelled train rows
    """
    parts = _parts(bench, MEASURED_ROWS)
    sizes = parts.sizes()
    labels = bench.labels(bench.train)[0][parts.rows]
    scores = np.zeros((len(sizes), len(labels)))
    total = len(sizes) * len(np.unique(parts.folds))
    for done, (fold, place, rows) in enumerate(_each(parts, sizes)):
        progress("curve", f"{len(rows):,} rows", done, total)
        model = _fitted(bench, parts.rows[rows])
        held = np.flatnonzero(parts.folds == fold)
        scores[place, held] = bench.metric.measure(labels[held], bench.predict(model, _stored(parts, held)))
    weights = weights_of(labels, stratified=bench.metric.stratified)
    strata = labels.astype(np.intp) if bench.metric.stratified else np.zeros(len(labels), dtype=np.intp)
    drawn = drawn_noise(scores, weights, kinds_of(labels, bench.schema.task), parts.folds, parts.together, sizes)
    best, spread = (0.0, max(float(scores.std()), 1e-9)) if bench.schema.task.is_regression else (1.0, 1.0)
    of_rows = rows_noise(scores, weights, strata, parts.together, spread)
    return Measured(
        sizes=sizes,
        scores=np.minimum(scores @ weights, best),
        covariance=of_rows + drawn / np.maximum.outer(sizes, sizes),
        drawn=drawn * len(np.unique(parts.folds)),
        best=best,
    )


def _parts(bench: Bench, most: int) -> _Parts:
    labelled = bench.labels(bench.train)[1] & ~made_rows(
        bench.train
    )  # made rows would tell of their parents across folds
    order = row_uniforms(cell_digests(bench.train.column(ROW_ID)), bench.seed, "curve")
    rows = np.flatnonzero(labelled)
    rows = np.sort(rows[np.argsort(order[rows], kind="stable")][:most])
    if not len(rows):
        raise LabelError("no train row has a label", next_step="label some train rows")
    return _Parts(bench=bench, rows=rows, folds=folds_of(bench, rows), together=together_of(bench, rows))


def _each(parts: _Parts, sizes: IntVector) -> Iterator[tuple[int, int, IntVector]]:
    """Yield fold, place of the size and the places of the rows to learn from."""
    for fold in np.unique(parts.folds).tolist():
        order = parts.outside(fold)
        for place, size in enumerate(sizes.tolist()):
            yield fold, place, order[:size]


def _stored(parts: _Parts, places: IntVector) -> IntVector:
    """Return storage positions of some of the rows."""
    return np.flatnonzero(train_rows(parts.bench.table))[parts.rows[places]]


def _fitted(bench: Bench, rows: IntVector) -> Model:
    """Return the model of some train rows, in their stored order; fitted cold, as a start's curvature serves one size only."""
    rows = np.sort(rows)
    return bench.fit(bench.train.take(pa.array(rows)), bench.train_features[rows])


def _around(value: float, error: float, best: float) -> Estimate:
    return Estimate(value=value, low=value - 1.96 * error, high=min(value + 1.96 * error, best), standard_error=error)


# -- the neighbours' bound ---------------------------------------------------------------------------------------------


def bound_of(
    bench: Bench, encodings: Mapping[str, slice] | None = None, progress: Progress = silent
) -> tuple[Bound, ...]:
    """Return the nearest neighbours' bound on the best score in each encoding, the least error first.

    Neighbours are found outside the fold of a row, among nested parts of the rows: a bound that still rises with their number is not
    settled, and the best score lies higher. Where classes count alike, as many rows of each are taken.

    Parameters
    ----------
    bench : the version's
    encodings : name -> columns of the bench's features; by default all of them
    progress : told of each encoding

    Randomness: as `learning_curve_of`.

    Raises
    ------
    LabelError : too few labelled train rows, or too few of the rarest class where classes count alike
    """
    parts = _parts(bench, MEASURED_ROWS)
    if bench.metric.stratified:
        parts = _evened(parts)
    sizes = parts.sizes()
    labels = bench.labels(bench.train)[0][parts.rows]
    found = []
    for done, (name, columns) in enumerate((encodings or {"all features": slice(None)}).items()):
        progress("curve", f"nearest neighbours, {name}", done, len(encodings or "1"))
        features = bench.train_features[parts.rows][:, columns]
        found.append(_bound(name, features, labels, parts, sizes))
    return tuple(sorted(found, key=lambda bound: -bound.value.value))


def _evened(parts: _Parts) -> _Parts:
    """Return as many rows of every class that there is, drawn by their ids."""
    labels = parts.bench.labels(parts.bench.train)[0][parts.rows]
    ids = cell_digests(parts.bench.train.column(ROW_ID).take(pa.array(parts.rows)))
    draws = row_uniforms(ids, parts.bench.seed, "curve", "evened")
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.lexsort((draws, codes))
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.sort(order[rank < counts.min()])
    return replace(parts, rows=parts.rows[kept], folds=parts.folds[kept], together=parts.together[kept])


def _bound(name: str, features: np.ndarray, labels: np.ndarray, parts: _Parts, sizes: IntVector) -> Bound:
    asked = _asked(labels, parts)
    partners = np.zeros((len(sizes), len(labels)), dtype=np.intp)
    for fold, place, rows in _each(parts, sizes):
        mine = np.flatnonzero((parts.folds == fold) & asked)
        if len(mine):
            near = k_nearest(features[rows], 1, queries=features[mine], metric="euclidean", exclude_self=False)
            partners[place, mine] = rows[np.asarray(near.positions)[:, 0]]
    kept = np.flatnonzero(asked)
    bounds = [_best_by(labels[kept], labels[partner[kept]], parts.bench) for partner in partners]
    return Bound(encoding=name, sizes=sizes, scores=tuple(bounds))


def _asked(labels: np.ndarray, parts: _Parts) -> Mask:
    """Return which rows' neighbours are sought: some at random."""
    ids = cell_digests(parts.bench.train.column(ROW_ID).take(pa.array(parts.rows)))
    order = np.argsort(row_uniforms(ids, parts.bench.seed, "curve", "asked"), kind="stable")
    asked = np.zeros(len(labels), dtype=bool)
    asked[order[:BOUND_ROWS]] = True
    return asked


def _best_by(own: np.ndarray, partner: np.ndarray, bench: Bench) -> Estimate:
    if bench.schema.task.is_regression:
        return mae_bound(own, partner)
    return share_bound(int((own != partner).sum()), len(own), bench.schema.task.n_classes)
