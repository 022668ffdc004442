"""Number mixup: the numbers of a row moved together towards a near train row of the same class.

    x' = x + amount · u · (neighbour − x),   u uniform in [0, 1), one for all columns of a row

Near is meant in spreads of each column. Whole numbers stay whole; a value that more than half of the cells of a column have (no gain,
no loss) is neither left nor approached by parts, and cells that miss here or there stay. Classes are known where train labels are
handed to `learn`; a row whose class is not known goes towards its nearest known rows.

Source: Zhang, Cisse, Dauphin, Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR; Chawla, Bowyer, Hall, Kegelmeyer
(2002), SMOTE: Synthetic Minority Over-sampling Technique, JAIR 16 (towards near rows of one class).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Matrix
from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.cell_changes import atom_of, mixed, numbers_in, spread_of
from tilth.numerics.known_rows import KnownRows, class_codes_of, sample_places
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity, transformed

__all__ = ["NumberMixup"]

AMOUNTS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""How far at most, as a share of the way, by severity: never nearer to the other row than to its own place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMixup:
    """Move numbers towards a near train row of the same class.

    Parameters
    ----------
    severity : 1 to 5: up to 10, 20, 30, 40 or 50 % of the way
    columns : what it changes; () for every number column
    neighbours : among how many of the nearest rows one is drawn
    names : the columns whose numbers it remembers, in their order; learnt
    known : the train rows that it remembers; learnt

    Raises
    ------
    ConfigError
        Fewer than one neighbour.

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 3
    columns: tuple[str, ...] = ()
    neighbours: int = 5
    names: tuple[str, ...] = ()
    known: KnownRows | None = field(default=None, repr=False)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.NUMBER})
    label: ClassVar[LabelEffect] = "keep"
    learns_labels: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity, and no neighbour."""
        refuse_severity(self.severity)
        if self.neighbours < 1:
            raise ConfigError(f"neighbours cannot be {self.neighbours!r}", next_step="write 1 or more")

    def learn(self, train: Batch, labels: pa.Array | None = None) -> NumberMixup:
        """Return the transform with a sample of train rows, and their classes where labels (n,) are given."""
        if self.known is not None:
            return self
        names = chosen(train, self.columns, self.accepts)
        places = sample_places(train.digests)
        values = np.column_stack([numbers_in(train.column(name)) for name in names])[places]
        codes = class_codes_of(labels, len(train))[places]
        return replace(self, names=names, known=KnownRows(train.digests[places], values, codes))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with numbers moved; raises NotApplicable where it knows no train row, or none of the columns."""
        names = [name for name in chosen(batch, self.columns, self.accepts) if name in self.names]
        if not names or self.known is None or not len(self.known):
            raise NotApplicable("it knows no train rows with these columns: let it learn them from train rows")
        at = [self.names.index(name) for name in names]
        known = KnownRows(self.known.digests, self.known.vectors[:, at], self.known.classes)
        values = np.column_stack([numbers_in(batch.column(name)) for name in names])
        far, pick = draw.several(batch.digests, 2).T
        centre, scale = _scales(known.vectors)
        search = KnownRows(known.digests, _filled(known.vectors, centre, scale), known.classes)
        near = search.near(_filled(values, centre, scale), batch.digests, self.neighbours, pick)
        target = np.where((near >= 0)[:, None], known.vectors[near], np.nan)
        amount = at_severity(AMOUNTS, self.severity) * far
        columns = {}
        for place, name in enumerate(names):
            after, moves = _column(values[:, place], target[:, place], amount, known.vectors[:, place])
            cells = batch.column(name)
            made = pa.array(np.where(moves, after, 0.0), mask=~moves).cast(cells.type, safe=False)
            columns[name] = pa.compute.if_else(pa.array(moves), made, cells)
        return transformed(batch, columns)


def _scales(values: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle and the spread of each column; (m, d) -> (d,), (d,)."""
    there = [column[np.isfinite(column)] for column in values.T]
    centre = np.array([float(np.median(one)) if len(one) else 0.0 for one in there])
    return centre, np.array([spread_of(one) or 1.0 for one in there])


def _filled(values: Matrix, centre: np.ndarray, scale: np.ndarray) -> Matrix:
    """Return numbers in spreads from the middle, 0 where one is missing; (n, d) -> (n, d)."""
    return np.where(np.isfinite(values), (values - centre) / scale, 0.0)


def _column(own: np.ndarray, other: np.ndarray, amount: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, Mask]:
    """Return a column's numbers moved, and which cells move."""
    usual = train[np.isfinite(train)]
    atom = atom_of(usual)
    moves = np.isfinite(own) & np.isfinite(other)
    if atom is not None:
        moves &= (own != atom) & (other != atom)
    is_whole = bool(len(usual)) and bool((usual == np.rint(usual)).all())
    return mixed(np.where(moves, own, 0.0), np.where(moves, other, 0.0), amount, is_whole=is_whole), moves
