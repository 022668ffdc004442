"""Category swap: categories replaced by others that rows like this one have.

    P(new = c) = share of c among the near train rows that have another category; near = differ in the fewest other categories

So a city is swapped for one of its country, and a category that others tell stays: no combination arises that is far from all rows.
Where there is no other category column, or only frequencies are given, all train rows are alike: P(new = c) = share of c / share of all
but the old one.

Source: Yoon et al. (2020), VIME: Extending the Success of Self- and Semi-supervised Learning to Tabular Domain, NeurIPS, section 4
(corruption by the marginal distribution); Chawla et al. (2002), SMOTE, JAIR 16, section 6.1 (categories of near rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Vector
from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.cell_changes import drawn_nearby, drawn_otherwise
from tilth.numerics.known_rows import KnownRows, sample_places
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity, transformed

__all__ = ["CategorySwap"]

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Of a column's cells, by severity."""
MOST_VALUES = 200
"""Categories of a column that are learnt, the commonest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategorySwap:
    """Replace categories by others that rows like them have.

    Parameters
    ----------
    severity : 1 to 5: 5, 10, 20, 30 or 50 % of a column's cells, as far as near rows have others
    columns : what it changes; () for every category column
    values : by column, its categories and how often each occurs; learnt from train rows where none are given
    neighbours : how many rows are near, at least
    known : the train rows that it remembers, as places of categories in `values`; learnt

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    neighbours: int = 20
    known: KnownRows | None = field(default=None, repr=False)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.CATEGORY})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Refuse what is no severity, and no neighbour."""
        refuse_severity(self.severity)
        if self.neighbours < 1:
            raise ConfigError(f"neighbours cannot be {self.neighbours!r}", next_step="write 1 or more")

    def learn(self, train: Batch) -> CategorySwap:
        """Return the transform with the categories of train rows."""
        names = chosen(train, self.columns, self.accepts)
        if any(name in self.values for name in names):  # frequencies that are given say all that is wanted
            found = {name: _counted(train.column(name)) for name in names}
            return replace(self, values={**found, **self.values})
        values = {name: _counted(train.column(name)) for name in names}
        places = sample_places(train.digests)
        codes = np.column_stack([_codes(train.column(name), values[name]) for name in names])[places].astype(np.float64)
        none = np.full(len(places), -1, dtype=np.intp)
        return replace(self, values=values, known=KnownRows(train.digests[places], codes, none))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with other categories; raises NotApplicable where it knows the categories of no column."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.values]
        if not names:
            raise NotApplicable("it knows the categories of none of the columns: let it learn them from train rows")
        codes = {
            name: _codes(batch.column(name), known) for name, known in self.values.items() if name in batch.columns
        }
        return transformed(batch, {name: self._swapped(batch, name, codes, draw.child(name)) for name in names})

    def _swapped(self, batch: Batch, name: str, codes: Mapping[str, IntVector], draw: Draw) -> pa.Array:
        cells, known = batch.column(name), self.values[name]
        if not known:
            return cells
        words, plain = pa.array(list(known), pa.string()), _plain(cells)
        first, second = draw.several(batch.digests, 2).T
        swaps = (first < at_severity(SHARES, self.severity)) & np.asarray(plain.is_valid())
        drawn = codes[name].copy()
        drawn[swaps] = self._drawn(name, {one: mine[swaps] for one, mine in codes.items()}, second[swaps])
        swaps &= drawn >= 0
        return pc.if_else(pa.array(swaps), words.take(pa.array(np.maximum(drawn, 0))), plain).cast(cells.type)

    def _drawn(self, name: str, codes: Mapping[str, IntVector], uniforms: Vector) -> IntVector:
        """Return other categories of some rows: by near rows, or by frequencies where no rows are known."""
        names = list(self.values)
        others = [one for one in names if one != name and one in codes]
        if self.known is None or not others:
            shares = np.array(list(self.values[name].values()), dtype=np.float64)
            return drawn_otherwise(codes[name], shares / shares.sum(), uniforms)
        beside = np.column_stack([codes[one] for one in others])
        rows = self.known.vectors.astype(np.intp)
        theirs = rows[:, [names.index(one) for one in others]]
        return drawn_nearby(codes[name], beside, rows[:, names.index(name)], theirs, uniforms, self.neighbours)


def _codes(cells: pa.Array, known: Mapping[str, float]) -> IntVector:
    """Return the places of categories among those that are known, -1 for others and where one is missing; n cells -> (n,)."""
    at = pc.index_in(_plain(cells), value_set=pa.array(list(known), pa.string()))
    return np.asarray(pc.fill_null(at, -1), dtype=np.intp)


def _plain(cells: pa.Array) -> pa.Array:
    return (cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells).cast(pa.string())


def _counted(cells: pa.Array) -> dict[str, float]:
    counts = [pair for pair in _plain(cells).value_counts().to_pylist() if pair["values"] is not None]
    common = sorted(counts, key=lambda pair: (-pair["counts"], pair["values"]))[:MOST_VALUES]
    return {pair["values"]: float(pair["counts"]) for pair in common}
