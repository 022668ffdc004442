"""Plain cells of two rows: how many agree, and whether that many agree by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.ids import key_of, mix
from tilth.core.schema import ColumnType
from tilth.detection._shared.copies import count_of
from tilth.detection._shared.words import feature_columns, value_codes

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, IntVector, Mask, Vector
    from tilth.core.schema import Column
    from tilth.operators.view import View

__all__ = ["agreeing_cells", "chance_share"]

PLAIN = (ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.DATE)
CLOSE = 0.02
"""Two numbers agree when they differ by at most this share of the column's range from 5 % to 95 %."""


def agreeing_cells(view: View, pairs: np.ndarray) -> Vector:
    """Return for each pair the share of plain feature cells that agree; 1 where there are none.

    Categories and dates agree when equal (two gaps are equal), numbers also when they are close for their
    column. Constant columns tell nothing.
    """
    agree, told = np.zeros(len(pairs)), 0
    for column in feature_columns(view, *PLAIN):
        cells = view.table.column(column.name)
        codes, missing = value_codes(cells)
        if np.ptp(codes) == 0:
            continue
        told += 1
        same = codes[pairs[:, 0]] == codes[pairs[:, 1]]
        if column.type is ColumnType.NUMBER and not missing.all():
            values, width = _numbers(cells, missing)
            close = np.abs(values[pairs[:, 0]] - values[pairs[:, 1]]) <= width
            same |= close & ~missing[pairs].any(axis=1)
        agree += same
    return agree / told if told else np.ones(len(pairs))


def chance_share(view: View) -> float:
    """Return the share of the nearly equal rows of a table that chance explains, in [0, 1].

    Numbers fall into bins as wide as what counts as close. O = pairs of rows alike in all columns; E_j = pairs alike
    in all columns but j, times the odds of agreeing in j as well; the share is max_j E_j / O. On a table of
    categories with one measured column rows meet by nature, among many measurements they do not. 0 without plain
    columns.
    """
    terms = [_terms(view, column) for column in feature_columns(view, *PLAIN)]
    if not terms:
        return 0.0
    with np.errstate(over="ignore"):
        whole = np.stack(terms).sum(axis=0, dtype=np.uint64)
        alike = count_of(whole)
        seen = float((alike - 1).sum())
        met = [((count_of(whole - term) - alike) * _odds(term)).sum() for term in terms]
    return float(min(1.0, max(met) / seen)) if seen > 0 else 0.0


def _odds(term: Bits) -> Vector:
    """Odds that another row agrees with each row in this column; 0 in a constant column."""
    holders, n = count_of(term), len(term)
    return np.divide(holders, n - holders, out=np.zeros(n), where=holders < n)


def _terms(view: View, column: Column) -> Bits:
    """Digests of the cells of one column, equal for numbers of one bin."""
    cells = view.table.column(column.name)
    codes, missing = value_codes(cells)
    if column.type is ColumnType.NUMBER and not missing.all():
        codes = _bins(cells, missing)
    with np.errstate(over="ignore"):
        return mix(codes.astype(np.uint64) + key_of("column", column.name)[0])


def _bins(cells: pa.ChunkedArray, missing: Mask) -> IntVector:
    """Number bins of twice the width that counts as close; single values where the column has no spread."""
    values, width = _numbers(cells, missing)
    if width <= 0:
        return value_codes(cells)[0]
    bins = np.floor((values - values[~missing].min()) / (2 * width)) + 1
    return np.where(missing, 0, np.minimum(bins, 2**62)).astype(np.intp)


def _numbers(cells: pa.ChunkedArray, missing: Mask) -> tuple[Vector, float]:
    """Values with 0 in gaps, and how far two may be apart and still agree."""
    values = np.asarray(pc.fill_null(cells.cast(pa.float64(), safe=False), 0.0), dtype=np.float64)
    low, high = np.quantile(values[~missing], [0.05, 0.95])
    return np.where(missing, 0.0, values), float(CLOSE * (high - low))
