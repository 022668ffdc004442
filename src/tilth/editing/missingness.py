"""Missingness: cells taken away at random, as they are missing where a source breaks.

    cell' = missing with probability share, for each cell by itself

Source: Rubin (1976), Inference and Missing Data, Biometrika 63, section 2 (missing completely at random).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity, transformed

__all__ = ["Missingness"]

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Of a column's cells, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missingness:
    """Take cells away.

    Parameters
    ----------
    severity : 1 to 5: 5, 10, 20, 30 or 50 % of a column's cells
    columns : what it changes; () for every column of numbers, categories or dates

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.DATE})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows without some cells."""
        share = at_severity(SHARES, self.severity)
        changed = {}
        for name in chosen(batch, self.columns, self.accepts):
            cells = batch.column(name)
            gone = draw.child(name).uniforms(batch.digests) < share
            changed[name] = pc.if_else(pa.array(np.asarray(gone)), pa.scalar(None, cells.type), cells)
        return transformed(batch, changed)
