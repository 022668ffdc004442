"""Guards: slices that no edit may harm: every class, and every value of the columns that the project names.

A column's slice is scored by the metric. A class is scored by its F1: its recall alone falls whenever a model stops giving it what
belongs to others, so that to guard recall is to refuse whatever sets a lopsided model right. Values of a column that is not shown
are guarded too; their slices are called by their place among the most frequent ones.

A guard is violated when its slice is significantly worse (Holm over slices), or when a slice of ≥ 100 dev rows falls by
more than 2 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.core.estimate import Estimate
from tilth.core.rng import generator
from tilth.core.schema import Schema
from tilth.core.trial import Guard
from tilth.loop.bench import Bench, Judged
from tilth.loop.visibility import HIDDEN, may_tell
from tilth.numerics.class_f1 import f1_rows
from tilth.numerics.error_budget import holm
from tilth.numerics.paired_tests import beats_nothing
from tilth.operators.protocols import Model

__all__ = [
    "EVERY_ROW",
    "GuardedSlice",
    "Standing",
    "all_rows",
    "check_guards",
    "guarded_slices",
    "standing_of",
    "worse_guards",
]

MOST_VALUES = 30
LEAST_ROWS = 20
LARGE = 100
LARGEST_FALL = 0.02
LARGEST_FALL_OF_ALL = 0.01
"""Of the average, where an edit is to mend one slice."""
SIGNIFICANT = 0.05
EVERY_ROW = "all rows"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """How a model stands on the judging rows: the score of each, and what it decides."""

    scores: Vector
    decided: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedSlice:
    """A slice with its rows among the judging rows; `code` is the class number where the slice is a class.

    `largest_fall` is how far its score may fall, where it has 100 rows or more; in parts of what the metric can be.
    """

    name: str
    rows: Mask
    code: int | None = None
    largest_fall: float = LARGEST_FALL

    def row_scores(self, judged: Judged, standing: Standing) -> Vector:
        """Return the numbers whose mean is the slice's score: of its own rows, or for a class of all judging rows."""
        if self.code is None:
            return standing.scores[self.rows]
        return f1_rows(judged.labels == self.code, standing.decided == self.code)

    def groups(self, judged: Judged) -> IntVector | None:
        """Return the group codes of the rows that `row_scores` has numbers of."""
        if judged.groups is None or self.code is not None:
            return judged.groups
        return np.asarray(np.unique(judged.groups[self.rows], return_inverse=True)[1])


def standing_of(bench: Bench, model: Model, judged: Judged) -> Standing:
    """Return how a model stands on the judging rows."""
    predicted = bench.predict(model, judged.positions)
    return Standing(scores=bench.scores(predicted, judged), decided=bench.decisions(predicted))


def guarded_slices(bench: Bench, judged: Judged, columns: pa.Table) -> tuple[GuardedSlice, ...]:
    """Return the slices to watch that have at least 20 judging rows: classes first, then the named columns' values."""
    found = []
    task = bench.schema.task
    if not task.is_regression:
        found = [
            GuardedSlice(name=f"F1 of {task.label} = {c}", rows=judged.labels == i, code=i)
            for i, c in enumerate(task.classes)
        ]
    chosen = columns.take(pa.array(judged.positions))
    for column in columns.column_names:
        values = chosen.column(column).cast(pa.string()).value_counts().to_pylist()
        common = sorted(values, key=lambda pair: (-pair["counts"], str(pair["values"])))[:MOST_VALUES]
        found += [
            GuardedSlice(
                name=_name(bench.schema, column, pair["values"], place),
                rows=_with(chosen.column(column), pair["values"]),
            )
            for place, pair in enumerate(common, start=1)
        ]
    return tuple(one for one in found if one.rows.sum() >= LEAST_ROWS)


def _with(cells: pa.ChunkedArray, value: str | None) -> Mask:
    """Return the rows that have a value; None stands for rows without one."""
    if value is None:
        return np.asarray(pc.is_null(cells))
    return np.asarray(pc.fill_null(pc.equal(cells.cast(pa.string()), value), False))


def _name(schema: Schema, column: str, value: str | None, place: int) -> str:
    """Return what a slice is called; `place` counts a column's values from the most frequent one."""
    return f"{column} = {value if may_tell(schema, column) else f'{HIDDEN} {place}'}"


def all_rows(judged: Judged) -> GuardedSlice:
    """Return the guard of edits that aim at a slice: the average of all judging rows, which may fall by a point at most."""
    return GuardedSlice(name=EVERY_ROW, rows=np.ones(len(judged), dtype=bool), largest_fall=LARGEST_FALL_OF_ALL)


def check_guards(
    bench: Bench, judged: Judged, slices: Sequence[GuardedSlice], before: Standing, after: Standing
) -> tuple[Guard, ...]:
    """Return each guard with its change in score and whether it forbids the edit."""
    if not slices:
        return ()
    results = []
    for one in slices:
        rng = generator(bench.seed, "guard", one.name)
        then, now = (one.row_scores(judged, standing) for standing in (before, after))
        worse = beats_nothing(then, now, one.groups(judged), rng=rng)
        results.append(worse)
    adjusted = holm(np.array([result.p_value for result in results]))
    unit = _unit(bench, before.scores)
    return tuple(
        Guard(
            slice=one.name,
            rows=int(one.rows.sum()),
            change=_turned(worse.estimate),
            p_worse=float(p),
            violated=bool(p <= SIGNIFICANT or (one.rows.sum() >= LARGE and worse.gain > one.largest_fall * unit)),
        )
        for one, worse, p in zip(slices, results, adjusted, strict=True)
    )


def worse_guards(first: Sequence[Guard], second: Sequence[Guard]) -> tuple[Guard, ...]:
    """Return for each slice the worse of two changes: the violated one, else the lower."""
    pairs = zip(first, second, strict=True)
    return tuple(max(pair, key=lambda guard: (guard.violated, -guard.change.value)) for pair in pairs)


def _unit(bench: Bench, before: Vector) -> float:
    """Return what "a hundred points" are: 1 for accuracies, the mean absolute error for regression."""
    return float(-before.mean()) if bench.schema.task.is_regression else 1.0


def _turned(worse: Estimate) -> Estimate:
    return Estimate(value=-worse.value, low=-worse.high, high=-worse.low, standard_error=worse.standard_error)
