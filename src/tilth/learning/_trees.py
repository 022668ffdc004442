"""What both boosting learners share: their sizes, a table as the matrix that trees read, and weights as rows.

Trees split between bins of a column. The bins are learnt once from the train rows and held, so that each of the many fits of a
run starts from binned cells: finding weighted quantiles anew was more than half of a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError, NotApplicable
from tilth.core.schema import ColumnType, Schema
from tilth.core.target import Target
from tilth.operators.view import View

__all__ = ["TreeLearner", "TreeTable", "expand", "growing_matrix", "random_state"]

_MOST_CATEGORIES = 254
"""Trees tell 255 categories apart; the last stands for all rarer and unseen ones."""
_MOST_BINS = 255
_SIZES = ((50, 6), (100, 10), (150, 15), (200, 31))
"""Iterations and leaves to choose among, smallest first."""
_READ = frozenset({ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.DATE})


@dataclass(frozen=True, slots=True, eq=False)
class TreeTable:
    """How a table becomes a matrix of bins: number columns, date columns, category columns with the names of their codes.

    `edges` are the upper ends of the bins of every number and date part, in the order of the matrix's columns.
    """

    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    categories: tuple[tuple[str, pa.Array], ...]
    edges: tuple[Vector, ...]

    @classmethod
    def read_from(cls, table: pa.Table, schema: Schema) -> TreeTable:
        """Learn the bins and frequent categories of a table's feature columns; text, images and vectors are left out."""

        def named(kind: ColumnType) -> tuple[str, ...]:
            return tuple(column.name for column in schema.features if column.type is kind)

        if not any(column.type in _READ for column in schema.features):
            raise NotApplicable("boosting reads numbers, categories and dates, and there is no such column")
        categories = tuple((name, _frequent(_texts(table, name))) for name in named(ColumnType.CATEGORY))
        numbers, dates = named(ColumnType.NUMBER), named(ColumnType.DATE)
        edges = tuple(_edges(column) for column in _plain(table, numbers, dates))
        return cls(numbers, dates, categories, edges)

    @property
    def is_category(self) -> Mask:
        """Which columns of the matrix hold codes."""
        return np.arange(len(self.edges) + len(self.categories)) >= len(self.edges)

    def matrix(self, table: pa.Table) -> Matrix:
        """Return (n, d) float64: bins of numbers and dates (time, month, weekday), codes; missing cells are NaN."""
        plain = _plain(table, self.numbers, self.dates)
        parts = [_bins(column, edges) for column, edges in zip(plain, self.edges, strict=True)]
        parts += [_codes(_texts(table, name), names) for name, names in self.categories]
        return np.stack(parts, axis=1)


class TreeLearner:
    """A boosting learner: a dataclass with these three fields."""

    iterations: int
    leaves: int
    rate: float

    def grid(self) -> tuple[Self, ...]:
        """Return four sizes, smallest first."""
        return tuple(type(self)(iterations=iterations, leaves=leaves) for iterations, leaves in _SIZES)  # type: ignore[call-arg]

    def prepare(self, view: View) -> TreeTable:
        """Return how the table is read: the bins of its numbers and dates, the codes of its categories."""
        return TreeTable.read_from(view.table, view.schema)

    def growth(self, table: TreeTable, view: View) -> dict[str, Any]:
        """Return how scikit-learn is to grow the trees; the run's seed decides every draw."""
        return {
            "learning_rate": self.rate,
            "max_iter": self.iterations,
            "max_leaf_nodes": self.leaves,
            "categorical_features": table.is_category,
            "early_stopping": False,
            "random_state": random_state(view),
        }


def growing_matrix(table: TreeTable, view: View, rows: IntVector) -> Matrix:
    """Return the (m, d) matrix of some rows to grow trees on; a column without any value becomes constant."""
    matrix = table.matrix(view.table)[rows]
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0
    return matrix


def expand(target: Target) -> tuple[IntVector, IntVector, Vector]:
    """Return rows, classes and weights such that a soft target is several weighted rows; no row of weight 0."""
    assert target.distribution is not None
    mass = target.distribution * (target.weights * target.mask)[:, None]
    rows, classes = np.nonzero(mass > 0)
    return rows, classes, np.asarray(mass[rows, classes])


def random_state(view: View) -> int:
    """Return the seed of the trees' own draws: the run's seed and the operator's name decide it."""
    return int(view.rng.integers(2**31))


def _array(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name).combine_chunks()
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _numbers(table: pa.Table, name: str) -> Vector:
    column = _array(table, name)
    try:
        plain = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        values = np.asarray(plain.cast(pa.float64(), safe=False).fill_null(np.nan), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"cells of type {column.type} cannot be read as numbers",
            where=f"column {name!r}",
            next_step="correct the column's type in tilth.yaml",
        ) from error
    return np.where(np.isfinite(values), values, np.nan)


def _dates(table: pa.Table, name: str) -> Matrix:
    times = _array(table, name).cast(pa.timestamp("us"), safe=False)
    parts = [times.cast(pa.int64()), pc.month(times), pc.day_of_week(times)]
    return np.column_stack([np.asarray(part.cast(pa.float64()).fill_null(np.nan)) for part in parts])


def _plain(table: pa.Table, numbers: tuple[str, ...], dates: tuple[str, ...]) -> list[Vector]:
    """Return number columns and parts of dates, one after the other."""
    return [_numbers(table, name) for name in numbers] + [part for name in dates for part in _dates(table, name).T]


def _edges(values: Vector) -> Vector:
    """Return the upper ends of all bins but the last: between neighbouring values, or quantiles where there are many."""
    values = np.sort(values[~np.isnan(values)])
    distinct = values[np.diff(values, prepend=np.nan) != 0]
    if len(distinct) <= _MOST_BINS:
        return np.asarray((distinct[1:] + distinct[:-1]) / 2)
    shares = np.linspace(0, 1, _MOST_BINS + 1)[1:-1]
    return np.unique(np.quantile(values, shares, method="averaged_inverted_cdf"))


def _bins(values: Vector, edges: Vector) -> Vector:
    return np.where(np.isnan(values), np.nan, np.searchsorted(edges, values, side="left").astype(np.float64))


def _texts(table: pa.Table, name: str) -> pa.Array:
    """Return categories as text; 2.0 and 2 are the same category."""
    column = _array(table, name)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    texts = column.cast(pa.large_string())
    return pc.replace_substring_regex(texts, r"\.0$", "") if pa.types.is_floating(column.type) else texts


def _frequent(texts: pa.Array) -> pa.Array:
    """Return the most frequent names, most frequent first; ties in alphabetical order."""
    counts = pc.value_counts(texts.drop_null())
    table = pa.table({"name": counts.field("values"), "rows": counts.field("counts")})
    ranked = table.sort_by([("rows", "descending"), ("name", "ascending")]).slice(0, _MOST_CATEGORIES)
    return ranked.column("name").combine_chunks()


def _codes(texts: pa.Array, names: pa.Array) -> Vector:
    found = pc.index_in(texts, value_set=names)
    codes = np.asarray(found.cast(pa.float64()).fill_null(float(_MOST_CATEGORIES)), dtype=np.float64)
    return np.where(np.asarray(texts.is_null(), dtype=bool), np.nan, codes)
