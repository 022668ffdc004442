"""Category swap: categories replaced by others of their column, drawn by how often they occur.

    P(new = c) = share of c in train rows / share of all but the old one

Source: Yoon et al. (2020), VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain, NeurIPS, section 4
(corruption by the marginal distribution).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.draw import Draw
from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.cell_changes import drawn_otherwise
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity, transformed

__all__ = ["CategorySwap"]

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Of a column's cells, by severity."""
MOST_VALUES = 200
"""Categories of a column that are learnt, the commonest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorySwap:
    """Replace categories by others that occur in the data.

    Parameters
    ----------
    severity : 1 to 5: 5, 10, 20, 30 or 50 % of a column's cells
    columns : what it changes; () for every category column
    values : by column, its categories and how often each occurs; learnt from train rows where none are given

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.CATEGORY})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def learn(self, train: Batch) -> CategorySwap:
        """Return the transform with the categories of train rows."""
        found = {name: _counted(train.column(name)) for name in chosen(train, self.columns, self.accepts)}
        return replace(self, values={**found, **self.values})

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with other categories; raises NotApplicable where it knows the categories of no column."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.values]
        if not names:
            raise NotApplicable("it knows the categories of none of the columns: let it learn them from train rows")
        return transformed(batch, {name: self._swapped(batch, name, draw.child(name)) for name in names})

    def _swapped(self, batch: Batch, name: str, draw: Draw) -> pa.Array:
        cells, known = batch.column(name), self.values[name]
        if not known:
            return cells
        words, plain = pa.array(list(known), pa.string()), _plain(cells)
        codes = np.asarray(pc.fill_null(pc.index_in(plain, value_set=words), -1), dtype=np.intp)
        first, second = draw.several(batch.digests, 2).T
        shares = np.array(list(known.values()), dtype=np.float64)
        drawn = drawn_otherwise(codes, shares / shares.sum(), second)
        swaps = (first < at_severity(SHARES, self.severity)) & np.asarray(plain.is_valid()) & (drawn >= 0)
        return pc.if_else(pa.array(swaps), words.take(pa.array(np.maximum(drawn, 0))), plain).cast(cells.type)


def _plain(cells: pa.Array) -> pa.Array:
    return (cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells).cast(pa.string())


def _counted(cells: pa.Array) -> dict[str, float]:
    counts = [pair for pair in _plain(cells).value_counts().to_pylist() if pair["values"] is not None]
    common = sorted(counts, key=lambda pair: (-pair["counts"], pair["values"]))[:MOST_VALUES]
    return {pair["values"]: float(pair["counts"]) for pair in common}
