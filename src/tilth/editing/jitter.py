"""Jitter: numbers moved within their column's noise.

    x' = x + min(share · spread, noise) · e,  e standard normal; inside of the range of train rows; whole numbers stay whole

The noise of a column is how far it differs between rows that are nearest by the other columns: a number that others tell nearly is
moved by no more than they leave open. A value that more than half of the cells have (no gain, no loss) means something by itself:
cells that hold it stay, and the spread is that of the others.

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
from tilth.numerics.cell_changes import atom_of, moved, noise_of, normals, numbers_in, spread_of
from tilth.numerics.known_rows import sample_places
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity, transformed

__all__ = ["Jitter"]

SHARES = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the column's spread, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """Move numbers within their column's noise.

    Parameters
    ----------
    severity : 1 to 5: a standard deviation of 2, 5, 10, 20 or 50 % of the column's own, and no more than its noise
    columns : what it changes; () for every number column
    spreads, lows, highs : by column, its standard deviation and usual range; learnt from train rows where none is given
    atoms : by column, a value that stays as it is; learnt with the spread
    noises : by column, the greatest standard deviation by which it is moved; learnt, without a limit where none is known

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
    noises: Mapping[str, float] = field(default_factory=dict)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.NUMBER})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 2

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
        noises = {**self._learnt_noises(train, atoms), **self.noises}
        return replace(self, spreads=spreads, lows=lows, highs=highs, atoms=atoms, noises=noises)

    def _learnt_noises(self, train: Batch, atoms: Mapping[str, float]) -> dict[str, float]:
        """Return the noise of each column whose spread was not given, from a sample of train rows."""
        names = chosen(train, self.columns, self.accepts)
        places = sample_places(train.digests)
        values = np.column_stack([numbers_in(train.column(name)) for name in names])[places]
        values[~np.isfinite(values)] = np.nan
        for place, name in enumerate(names):
            values[values[:, place] == atoms.get(name, np.nan), place] = np.nan
        found = dict(zip(names, noise_of(values), strict=True))
        return {name: float(noise) for name, noise in found.items() if name not in self.spreads and noise > 0}

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with numbers moved; raises NotApplicable where it knows the spread of no column."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.spreads]
        if not names:
            raise NotApplicable("it knows the spread of none of the columns: let it learn them from train rows")
        return transformed(batch, {name: self._moved(batch, name, draw) for name in names})

    def _moved(self, batch: Batch, name: str, draw: Draw) -> pa.Array:
        cells = batch.column(name)
        values = numbers_in(cells)
        known = np.isfinite(values) & (values != self.atoms.get(name, np.nan))
        scale = min(at_severity(SHARES, self.severity) * self.spreads[name], self.noises.get(name, np.inf))
        steps = scale * normals(draw.child(name).uniforms(batch.digests))
        low, high = self.lows.get(name, -np.inf), self.highs.get(name, np.inf)
        after = values.copy()
        for kind in (known & (values == np.rint(values)), known & (values != np.rint(values))):  # whole, and the others
            after[kind] = moved(values[kind], steps[kind], low, high)
        return pa.array(after, mask=np.asarray(cells.is_null())).cast(cells.type)


def _finite(cells: pa.Array) -> np.ndarray:
    values = numbers_in(cells)
    return values[np.isfinite(values)]
