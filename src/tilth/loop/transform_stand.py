"""What transforms are measured on: labelled train rows, models that did not see them, and real rows to compare with.

No row of dev or test is read. Rows are drawn by id; whole groups (and exact duplicates) stand in one fold, so that no model has seen
the like of what it is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID
from tilth.core.rng import row_uniforms
from tilth.core.schema import ColumnType
from tilth.learning._crossfit import fold_numbers
from tilth.loop.bench import Bench
from tilth.loop.frames import standing_together, target_of
from tilth.loop.transform_apart import Encode, Refit
from tilth.numerics.transform_measures import nearest_distance
from tilth.operators.protocols import Model

__all__ = ["FEWEST", "MOST_IMAGES", "MOST_ROWS", "TransformStand", "stand_on"]

MOST_ROWS = 2_000
"""Train rows that are tried; where there are more, they are drawn by id."""
MOST_IMAGES = 500
"""The same where rows hold images, which cost more."""
MOST_LEARNT = 20_000
FEWEST = 20
"""Labelled train rows below which nothing is measured."""
_MILLISECONDS = 1_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class TransformStand:
    """The n train rows that are tried, as they are, and the models that predict them.

    Parameters
    ----------
    bench : the version's rows and model
    table, features : ids and feature columns of the rows, and their (n, d) features
    labels : (n,) class numbers, or numbers
    groups : (n,) codes of rows that belong together, or None
    folds : (n,) of which model each row was held out
    judged, compared : (n,) on which rows realism is judged, and which of them stand for real ones
    apart : rows with feature columns -> features, by encoders that have not seen the judged rows
    models : by fold, fitted to all labelled train rows but those of the fold
    learnt_from, learnt_labels : ids and features of the train rows from which transforms learn, and their labels as text
    encode : rows with feature columns -> their features
    training_ms : CPU milliseconds that encoding and fitting cost a row
    of_rows : labelled train rows
    """

    bench: Bench
    table: pa.Table
    features: FloatMatrix32
    labels: np.ndarray
    groups: IntVector | None
    folds: IntVector
    judged: Mask
    compared: Mask
    apart: Encode
    models: tuple[Model, ...]
    learnt_from: pa.Table
    learnt_labels: pa.Array
    encode: Encode
    training_ms: float
    of_rows: int
    seed: int
    tells_ids: bool
    tells_labels: bool

    def __len__(self) -> int:
        """Number of rows that are tried."""
        return int(self.table.num_rows)

    @cached_property
    def unit(self) -> float:
        """The median distance of a row to the nearest other one."""
        return nearest_distance(self.features)

    @cached_property
    def features_apart(self) -> FloatMatrix32:
        """Features of the rows that judge realism, by encoders that have not seen them; other rows are left at 0."""
        found = self.apart(self.table.filter(pa.array(self.judged)))
        features = np.zeros((len(self), found.shape[1]), dtype=np.float32)
        features[self.judged] = found
        return features

    @cached_property
    def unseen(self) -> Matrix:
        """What models that did not see the rows predict of them, as they are."""
        return self.predict_unseen(self.table, self.features, np.arange(len(self)))

    @cached_property
    def current(self) -> Matrix:
        """What the current model predicts of the rows, as they are."""
        return self.predict(self.table, self.features)

    @cached_property
    def spread(self) -> float:
        """The standard deviation of a label that is a number."""
        return float(np.std(self.labels)) or 1.0

    def predict(self, table: pa.Table, features: FloatMatrix32) -> Matrix:
        """Return what the current model predicts of rows."""
        return self.bench.learner.predict_proba(self.bench.view(table, features), self.bench.baseline)

    def predict_unseen(self, table: pa.Table, features: FloatMatrix32, rows: IntVector) -> Matrix:
        """Return predictions of versions of some rows (m,), each by the model that saw neither the row nor its group; (m, k)."""
        predicted: Matrix | None = None
        for fold, model in enumerate(self.models):
            mine = np.flatnonzero(self.folds[rows] == fold)
            if len(mine):
                cheap = self.bench.cheap
                view = cheap.view(table.take(pa.array(mine)), features[mine])
                found = cheap.learner.predict_proba(view, model)
                predicted = np.zeros((len(rows), found.shape[1])) if predicted is None else predicted
                predicted[mine] = found
        assert predicted is not None, "some row is asked about"
        return predicted


def stand_on(
    bench: Bench,
    encode: Encode,
    *,
    refit: Refit | None = None,
    rows: int | None = None,
    tells_ids: bool = True,
    tells_labels: bool = True,
) -> TransformStand:
    """Return what transforms are measured on.

    Parameters
    ----------
    bench : a version's
    encode : rows with feature columns -> features, by the held encoders
    refit : what fits the encoders to other rows; None where they learn nothing from which a row could be known again
    rows : how many are tried at most

    Raises
    ------
    NotApplicable
        Fewer than 20 labelled train rows.
    """
    labels, labelled = bench.labels(bench.table)
    target = target_of(bench.table, bench.schema)
    inside = np.zeros(bench.table.num_rows, dtype=bool)
    inside[bench.train_positions] = True
    known = np.flatnonzero(inside & labelled & target.mask)
    if len(known) < FEWEST:
        raise NotApplicable(
            f"{len(known)} labelled train rows are too few: a card needs {FEWEST}", next_step="label more train rows"
        )
    names = [column.name for column in bench.schema.features]
    features_of = bench.table.select([ROW_ID, *names])
    mine = features_of.take(pa.array(known))
    together = standing_together(None if bench.groups is None else bench.groups[known], lambda: mine.select(names))
    folds = fold_numbers(_ids(mine), target.take(known), groups=together, seed=bench.seed)
    models, fit_ms = _fold_models(bench, known, folds)
    most = rows or (MOST_IMAGES if any(c.type is ColumnType.IMAGE for c in bench.schema.features) else MOST_ROWS)
    tried = _drawn(mine, most, bench.seed, "transform card")
    table = mine.take(pa.array(tried))
    features, encode_ms = timed(lambda: encode(table), len(table))
    judged, others = _apart(tried, _halved(table, together[tried], bench.seed, "apart"), len(known), refit)
    learnt_from = mine.take(pa.array(_drawn(mine, MOST_LEARNT, bench.seed, "transform learns")))
    return TransformStand(
        bench=bench,
        table=table,
        features=features,
        labels=labels[known][tried],
        groups=None if bench.groups is None else np.unique(bench.groups[known][tried], return_inverse=True)[1],
        folds=folds[tried],
        judged=judged,
        compared=_halved(table, together[tried], bench.seed, "compared"),
        apart=encode if refit is None else refit(mine.take(pa.array(others[:MOST_LEARNT]))),
        models=models,
        learnt_from=learnt_from,
        learnt_labels=_label_texts(bench, learnt_from),
        encode=encode,
        training_ms=fit_ms + encode_ms,
        of_rows=len(known),
        seed=bench.seed,
        tells_ids=tells_ids,
        tells_labels=tells_labels,
    )


def timed(function: Callable[[], FloatMatrix32], n_rows: int) -> tuple[FloatMatrix32, float]:
    """Return what a function returns, and the CPU milliseconds that it cost a row."""
    start = time.process_time()
    found = function()
    return found, _MILLISECONDS * (time.process_time() - start) / max(n_rows, 1)


def _fold_models(bench: Bench, known: IntVector, folds: IntVector) -> tuple[tuple[Model, ...], float]:
    """Return the model of each fold, and the CPU milliseconds that a fit costs a row; another learner stands in for one that is dear."""
    bench = bench.cheap
    models: list[Model] = []
    start, fitted_rows = time.process_time(), 0
    for fold in range(int(folds.max()) + 1):
        rows = known[folds != fold]
        models.append(bench.fit(bench.table.take(pa.array(rows)), bench.features[rows], models[0] if models else None))
        fitted_rows += len(rows)
    return tuple(models), _MILLISECONDS * (time.process_time() - start) / max(fitted_rows, 1)


def _ids(table: pa.Table) -> pa.Array:
    ids = table.column(ROW_ID)
    return ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids


def _drawn(table: pa.Table, most: int, seed: int, step: str) -> IntVector:
    """Return the places of rows that are drawn by id, in their order; all where they are few enough."""
    if table.num_rows <= most:
        return np.arange(table.num_rows)
    numbers = row_uniforms(cell_digests(_ids(table)), seed, step)
    return np.sort(np.argsort(numbers, kind="stable")[:most])


def _apart(tried: IntVector, half: Mask, n_known: int, refit: Refit | None) -> tuple[Mask, IntVector]:
    """Return which of the rows that are tried judge realism, and the places of the rows that encoders may see for it.

    All tried rows judge where half as many others are left; else one half of them does.
    """
    rest = np.setdiff1d(np.arange(n_known), tried)
    if refit is None or 2 * len(rest) >= len(tried):
        return np.ones(len(tried), dtype=bool), rest
    return half, np.sort(np.concatenate([rest, tried[~half]]))


def _halved(table: pa.Table, together: IntVector, seed: int, step: str) -> Mask:
    """Return one half of the rows, drawn by id; what stands together stays so."""
    numbers: Vector = row_uniforms(cell_digests(_ids(table)), seed, "transform card", step)
    order = np.lexsort((numbers, together))
    _, first, code = np.unique(together[order], return_index=True, return_inverse=True)
    lead = np.empty(len(numbers))
    lead[order] = numbers[order][first][code]
    return np.asarray(lead > np.median(lead))


def _label_texts(bench: Bench, rows: pa.Table) -> pa.Array:
    """Return the labels of rows as text, null for numbers: what a transform may learn of classes."""
    if bench.schema.task.is_regression:
        return pa.nulls(rows.num_rows, pa.string())
    where = pa.compute.index_in(_ids(rows), value_set=_ids(bench.table))
    cells = bench.table.column(bench.schema.task.label).take(where).cast(pa.string())
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
