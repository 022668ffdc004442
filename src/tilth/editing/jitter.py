"""Jitter: numbers moved within their column's spread.

    x' = x + share · spread · e,  e standard normal; inside of the range of train rows; whole numbers stay whole

A value that more than half of the cells have (no gain, no loss) means something by itself: cells that hold it stay, and the
spread is that of the others.

Source: Shorten, Khoshgoftaar, Furht (2021), Text Data Augmentation for Deep Learning, J. Big Data 8, section on noise injection;
quartiles as the spread: Tukey (1977), Exploratory Data Analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.draw import Draw
from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.cell_changes import atom_of, moved, normals, spread_of
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity, transformed

__all__ = ["Jitter"]

SHARES = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the column's spread, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """Move numbers within their column's spread.

    Parameters
    ----------
    severity : 1 to 5: a standard deviation of 2, 5, 10, 20 or 50 % of the column's own
    columns : what it changes; () for every number column
    spreads, lows, highs : by column, its standard deviation and usual range; learnt from train rows where none is given
    atoms : by column, a value that stays as it is; learnt with the spread

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()
    spreads: Mapping[str, float] = field(default_factory=dict)
    lows: Mapping[str, float] = field(default_factory=dict)
    highs: Mapping[str, float] = field(default_factory=dict)
    atoms: Mapping[str, float] = field(default_factory=dict)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.NUMBER})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def learn(self, train: Batch) -> Jitter:
        """Return the transform with the spreads and ranges of train rows."""
        spreads, lows, highs, atoms = (dict(one) for one in (self.spreads, self.lows, self.highs, self.atoms))
        for name in chosen(train, self.columns, self.accepts):
            values = _finite(train.column(name))
            if len(values):
                atom = atom_of(values)
                if atom is not None and name not in spreads:
                    atoms.setdefault(name, atom)
                spreads.setdefault(name, spread_of(values if atom is None else values[values != atom]))
                lows.setdefault(name, float(values.min()))
                highs.setdefault(name, float(values.max()))
        return replace(self, spreads=spreads, lows=lows, highs=highs, atoms=atoms)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with numbers moved; raises NotApplicable where it knows the spread of no column."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.spreads]
        if not names:
            raise NotApplicable("it knows the spread of none of the columns: let it learn them from train rows")
        return transformed(batch, {name: self._moved(batch, name, draw) for name in names})

    def _moved(self, batch: Batch, name: str, draw: Draw) -> pa.Array:
        cells = batch.column(name)
        values = np.asarray(cells.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)
        known = np.isfinite(values) & (values != self.atoms.get(name, np.nan))
        scale = at_severity(SHARES, self.severity) * self.spreads[name]
        steps = scale * normals(draw.child(name).uniforms(batch.digests))
        low, high = self.lows.get(name, -np.inf), self.highs.get(name, np.inf)
        after = values.copy()
        for kind in (known & (values == np.rint(values)), known & (values != np.rint(values))):  # whole, and the others
            after[kind] = moved(values[kind], steps[kind], low, high)
        return pa.array(after, mask=np.asarray(cells.is_null())).cast(cells.type)


def _finite(cells: pa.Array) -> np.ndarray:
    values = np.asarray(cells.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)
    return values[np.isfinite(values)]
