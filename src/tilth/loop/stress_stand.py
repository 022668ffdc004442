"""What stress tests are made on: dev rows as they are, what the version's model predicts of them, and their slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.dataset import Dataset
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID, Split
from tilth.core.rng import row_uniforms
from tilth.core.schema import ColumnType, Role
from tilth.encoding._blocks import encode_blocks
from tilth.loop.bench import Bench, Judged
from tilth.loop.declared_rows import declared_rows
from tilth.loop.guards import LEAST_ROWS, guarded_slices
from tilth.loop.workshop import Workshop
from tilth.operators.batch import batches
from tilth.store.version import Version

__all__ = ["MOST_IMAGES", "MOST_ROWS", "Slices", "Stand", "stand_for"]

MOST_ROWS = 2_000
"""Dev rows that are tried; where there are more, they are drawn by id."""
MOST_IMAGES = 500
"""The same where rows hold images, which cost more."""
MOST_LEARNT = 20_000
Slices = Callable[[Dataset, IntVector], Mapping[str, Mask]]
"""The rows of a version and storage positions, (n,) -> slice -> (n,) which of these rows belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stand:
    """The rows on which tests are made, as they are, and what is predicted of them.

    Parameters
    ----------
    bench, judged : the version's model, and the dev rows that are tried
    table : their ids and features
    train : ids and features of the train rows from which transforms learn
    before, scores : predictions of the rows as they are, and the metric's score of each
    slices : name -> which of the rows
    predict : rows -> predictions
    level : coverage of the interval of a share that has a bound
    """

    bench: Bench
    judged: Judged
    table: pa.Table
    train: pa.Table
    before: Matrix
    scores: Vector
    slices: Mapping[str, Mask]
    predict: Callable[[pa.Table], Matrix]
    tells_ids: bool
    tells_labels: bool
    seed: int
    level: float = 0.95


def stand_for(
    workshop: Workshop, version: Version, *, rows: int | None = None, slices: Slices | None = None
) -> tuple[Stand, int]:
    """Return what tests are made on, and how many labelled dev rows there are.

    Raises
    ------
    NotApplicable
        No dev row has a label.
    """
    bench, dataset, fitted = workshop.bench(version), workshop.dataset(version), workshop.columns(version)
    everyone = bench.judged(Split.DEV)
    if not len(everyone):
        raise NotApplicable("no dev row has a label: there is nothing to try")
    schema = version.schema
    most = rows or (MOST_IMAGES if any(c.type is ColumnType.IMAGE for c in schema.features) else MOST_ROWS)
    judged = everyone.only(_drawn(dataset, everyone.positions, most, workshop.seed))
    names = [column.name for column in fitted]
    train = np.flatnonzero(dataset.mask(Split.TRAIN))
    features = dataset.read(ROW_ID, *names)
    before = bench.predict(bench.baseline, judged.positions)

    def predict(table: pa.Table) -> Matrix:
        view = bench.view(table, encode_blocks(fitted, batches(table, names), table.num_rows))
        return bench.learner.predict_proba(view, bench.baseline)

    id_column = schema.first(Role.ID)
    found = slices or partial(_guarded, workshop, version, judged)
    stand = Stand(
        bench=bench,
        judged=judged,
        table=features.take(pa.array(judged.positions)),
        train=features.take(pa.array(train[_drawn(dataset, train, MOST_LEARNT, workshop.seed)])),
        before=before,
        scores=bench.scores(before, judged),
        slices=found(dataset, judged.positions),
        predict=predict,
        tells_ids=id_column is None or schema.may_show(id_column),
        tells_labels=schema.may_show(schema.task.label),
        seed=workshop.seed,
    )
    return stand, len(everyone)


def _drawn(dataset: Dataset, positions: IntVector, most: int, seed: int) -> Mask:
    """Return which of some rows are tried: all, or those with the least numbers, drawn by id."""
    if len(positions) <= most:
        return np.ones(len(positions), dtype=bool)
    numbers = row_uniforms(cell_digests(dataset.row_ids.take(pa.array(positions))), seed, "stress")
    return np.asarray(numbers <= np.partition(numbers, most - 1)[most - 1])


def _guarded(workshop: Workshop, version: Version, judged: Judged, dataset: Dataset, _: IntVector) -> dict[str, Mask]:
    """Return the slices that a run guards: every class, the values of the columns that tilth.yaml names, and declared slices."""
    guards = workshop.file.guards
    columns = dataset.read(*guards) if guards else pa.table({})
    task = version.schema.task
    guarded = {
        one.name if one.code is None else f"{task.label} = {task.classes[one.code]}": one.rows
        for one in guarded_slices(workshop.bench(version), judged, columns)
    }
    declared = {one.name: rows[judged.positions] for one, rows in declared_rows(workshop, version)[0]}
    return guarded | {name: rows for name, rows in declared.items() if rows.sum() >= LEAST_ROWS}
